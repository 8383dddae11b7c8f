package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The cache alone: what it takes in and gives out, and that readers on other threads never see a block between two versions, or an old one. */
class ReadCacheTest {
    private static final int BLOCK = 4096;

    private static ByteBuffer block(long value) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        while (block.hasRemaining()) {
            block.putLong(value);
        }
        return block;
    }

    private static long cached(ReadCache cache, long block) {
        ByteBuffer target = ByteBuffer.allocate(BLOCK);
        return cache.copy(block, 0, BLOCK, target, 0) ? target.getLong(0) : -1;
    }

    @Test
    void givesOutWhatItTookInUntilAnOperationIsSequenced() {
        ReadCache cache = new ReadCache(1 << 20);
        cache.fill(7, block(70), 0, cache.ticket(7));
        assertThat(cached(cache, 7)).isEqualTo(70);
        assertThat(cached(cache, 8)).isEqualTo(-1);
        cache.invalidate(6, 8);
        assertThat(cached(cache, 7)).isEqualTo(-1);
    }

    @Test
    void doesNotTakeInWhatWasReadBeforeAnOperation() {
        ReadCache cache = new ReadCache(1 << 20);
        int ticket = cache.ticket(7);
        cache.invalidate(7, 8);
        cache.fill(7, block(70), 0, ticket);
        assertThat(cached(cache, 7)).isEqualTo(-1);
        ticket = cache.ticket(7);
        cache.invalidate(0, 1 << 20);
        cache.fill(7, block(70), 0, ticket);
        assertThat(cached(cache, 7)).isEqualTo(-1);
        ticket = cache.ticket(7);
        cache.clear();
        cache.fill(7, block(70), 0, ticket);
        assertThat(cached(cache, 7)).isEqualTo(-1);
    }

    @Test
    void aScanDoesNotDriveOutWhatIsUsed() {
        ReadCache cache = new ReadCache(1 << 20);
        for (long block = 0; block < 64; block++) {
            cache.fill(block, block(block), 0, cache.ticket(block));
        }
        for (int use = 0; use < 10; use++) {
            for (long block = 0; block < 64; block++) {
                cached(cache, block);
            }
        }
        for (long block = 10_000; block < 11_000; block++) {
            cache.fill(block, block(block), 0, cache.ticket(block));
        }
        long kept = 0;
        for (long block = 0; block < 64; block++) {
            kept += cached(cache, block) == block ? 1 : 0;
        }
        assertThat(kept).isGreaterThan(48);
    }

    @Test
    void withoutMemoryItIsOff() {
        ReadCache cache = new ReadCache(BLOCK);
        assertThat(cache.isOn()).isFalse();
        cache.fill(7, block(70), 0, cache.ticket(7));
        assertThat(cached(cache, 7)).isEqualTo(-1);
    }

    /** One thread changes blocks, as an engine's loop does; readers must find whole blocks, and none older than what was confirmed when they began. */
    @Test
    void readersSeeWholeBlocksAndNoOldOnes() throws Exception {
        ReadCache cache = new ReadCache(16 * BLOCK);
        int blocks = 24;
        AtomicLong[] confirmed = new AtomicLong[blocks];
        for (int i = 0; i < blocks; i++) {
            confirmed[i] = new AtomicLong();
        }
        CountDownLatch done = new CountDownLatch(1);
        ExecutorService readers = Executors.newFixedThreadPool(3);
        List<Future<Long>> hits = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int first = 7 * i;
            hits.add(readers.submit(reader(cache, confirmed, done, first)));
        }
        for (long version = 1; version <= 200_000; version++) {
            int block = (int) (version * 31 % blocks);
            cache.invalidate(block, block + 1);
            confirmed[block].set(version);
            cache.fill(block, block(version), 0, cache.ticket(block));
        }
        done.countDown();
        long all = 0;
        for (Future<Long> each : hits) {
            all += each.get();
        }
        readers.shutdown();
        assertThat(all).isPositive();
    }

    private static Callable<Long> reader(ReadCache cache, AtomicLong[] confirmed, CountDownLatch done, int first) {
        return () -> {
            ByteBuffer target = ByteBuffer.allocate(BLOCK);
            long hits = 0;
            for (int block = first; done.getCount() > 0; block = (block + 5) % confirmed.length) {
                long least = confirmed[block].get();
                if (cache.copy(block, 0, BLOCK, target, 0)) {
                    hits++;
                    long value = target.getLong(0);
                    assertThat(value).isGreaterThanOrEqualTo(least);
                    assertThat(value * 31 % confirmed.length).isEqualTo(block);
                    assertThat(target.mismatch(block(value).flip())).isEqualTo(-1);
                }
            }
            return hits;
        };
    }
}
