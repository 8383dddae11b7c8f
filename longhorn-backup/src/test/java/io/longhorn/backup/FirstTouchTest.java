package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FirstTouchTest {
    private static final int BLOCK = 2 << 20;
    private static final int BLOCKS = 64;
    private static final int THREADS = 6;
    private static final int ROUNDS = 40;

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    /** Of every other block. */
    private static BackupConfig backup() {
        List<BlockReference> blocks = new ArrayList<>();
        for (int i = 0; i < BLOCKS; i++) {
            blocks.add(new BlockReference(2L * i * BLOCK, "0".repeat(64)));
        }
        return new BackupConfig("one", "orders", "", "", "", 0, Map.of(), Map.of(), false, "lz4", 0, 0, blocks);
    }

    private static int index(BlockReference block) {
        return (int) (block.offsetBytes() / BLOCK / 2);
    }

    @Test
    void eachBlockIsFetchedOnceHoweverManyWaitForIt() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            AtomicIntegerArray fetched = new AtomicIntegerArray(BLOCKS);
            FirstTouch touch = new FirstTouch(backup(), block -> fetched.incrementAndGet(index(block)), threads);
            CyclicBarrier go = new CyclicBarrier(THREADS);
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                Random random = new Random(1000L * round + t);
                all.add(threads.submit(() -> {
                    go.await();
                    for (int i = 0; i < BLOCKS; i++) {
                        long offset = random.nextInt(2 * BLOCKS) * (long) BLOCK + random.nextInt(BLOCK);
                        touch.await(offset, random.nextInt(3 * BLOCK));
                        assertThat(touch.firstAbsent(offset, offset + 1)).isEqualTo(offset + 1);
                    }
                    touch.await(0, 2L * BLOCKS * BLOCK);
                    return null;
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
            for (int i = 0; i < BLOCKS; i++) {
                assertThat(fetched.get(i)).as("block " + i).isEqualTo(1);
            }
            assertThat(touch.presentBytes()).isEqualTo(touch.totalBytes());
            touch.noteEnd();
            assertThat(touch.isOver()).isTrue();
        }
    }

    @Test
    void callsAreHandedOverInTheirOrder() {
        for (int round = 0; round < ROUNDS; round++) {
            Random random = new Random(round);
            FirstTouch touch = new FirstTouch(backup(), block -> {}, threads);
            List<Integer> order = new ArrayList<>();
            List<CompletableFuture<Integer>> results = new ArrayList<>();
            int calls = 200;
            for (int i = 0; i < calls; i++) {
                int number = i;
                CompletionStage<Integer> result =
                        touch.inOrder(random.nextInt(2 * BLOCKS) * (long) BLOCK, random.nextInt(2 * BLOCK), () -> {
                            synchronized (order) {
                                order.add(number);
                            }
                            return CompletableFuture.completedFuture(number);
                        });
                results.add(result.toCompletableFuture());
            }
            for (int i = 0; i < calls; i++) {
                assertThat(results.get(i).join()).isEqualTo(i);
            }
            assertThat(order).hasSize(calls).isSorted();
        }
    }

    @Test
    void aFailureReachesWhoWaitsAndTheNextOneTriesAgain() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        FirstTouch touch = new FirstTouch(
                backup(),
                block -> {
                    if (attempts.incrementAndGet() == 1) {
                        throw new BackupTargetException("somewhere", "gone for a moment");
                    }
                },
                threads);
        CompletionStage<String> failed = touch.inOrder(0, 1, () -> CompletableFuture.completedFuture("done"));
        assertThatThrownBy(() -> failed.toCompletableFuture().join()).hasCauseInstanceOf(BackupTargetException.class);
        assertThat(touch.firstAbsent(0, 10)).isZero();
        CompletionStage<String> next = touch.inOrder(0, 1, () -> CompletableFuture.completedFuture("done"));
        assertThat(next.toCompletableFuture().join()).isEqualTo("done");
        assertThat(touch.firstAbsent(0, 10)).isEqualTo(10);
        touch.await(BLOCK, BLOCK);
        assertThat(attempts.get()).as("there is no block in between").isEqualTo(2);
    }
}
