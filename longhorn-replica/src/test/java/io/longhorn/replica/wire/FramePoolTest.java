package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FramePoolTest {
    private static final long SEED = Long.getLong("longhorn.seed", 20260302L);

    private final FramePool pool = new FramePool();

    @Test
    void aFrameHasRoomForWhatWasAskedAndHardlyMore() {
        for (int bytes = 0; bytes <= FrameLayout.FRAME_BYTES_MAX; bytes = bytes < 5000 ? bytes + 1 : bytes * 9 / 8) {
            FrameBuffer frame = pool.acquire(bytes);
            int capacity = frame.bytes().capacity();
            assertThat(capacity).isGreaterThanOrEqualTo(bytes);
            assertThat(capacity).isLessThanOrEqualTo(Math.max(256, bytes + bytes / 2));
            assertThat(frame.bytes().order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
            assertThat(frame.length()).isZero();
            frame.release();
        }
        assertThat(pool.acquire(FrameLayout.FRAME_BYTES_MAX).bytes().capacity()).isEqualTo(1 << 20);
    }

    @Test
    void moreThanTheLongestFrameIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> pool.acquire((1 << 20) + 1));
        assertThatIllegalArgumentException().isThrownBy(() -> pool.acquire(-1));
        assertThat(pool.leased()).isZero();
    }

    @Test
    void aReturnedFrameIsUsedAgainWithoutItsLength() {
        FrameBuffer frame = pool.acquire(5000).length(4000);
        frame.release();
        FrameBuffer again = pool.acquire(4500);
        assertThat(again).isSameAs(frame);
        assertThat(again.length()).isZero();
    }

    @Test
    void aFrameReturnsWithItsLastReference() {
        FrameBuffer frame = pool.acquire(100);
        frame.retain().retain();
        frame.release();
        frame.release();
        assertThat(pool.leased()).isEqualTo(1);
        assertThat(pool.acquire(100)).isNotSameAs(frame);
        frame.release();
        assertThat(pool.leased()).isEqualTo(1);
        assertThat(pool.acquire(100)).isSameAs(frame);
    }

    @Test
    void aReleasedFrameCanNeitherBeReleasedNorRetained() {
        FrameBuffer frame = pool.acquire(100);
        frame.release();
        assertThatIllegalStateException().isThrownBy(frame::release);
        assertThatIllegalStateException().isThrownBy(frame::retain);
        assertThat(pool.leased()).isZero();
        assertThat(pool.acquire(100)).isSameAs(frame);
        assertThat(pool.acquire(100)).isNotSameAs(frame);
    }

    @Test
    void lengthStaysWithinTheMemory() {
        FrameBuffer frame = pool.acquire(256);
        assertThat(frame.length(256).length()).isEqualTo(256);
        assertThatIllegalArgumentException().isThrownBy(() -> frame.length(257));
        assertThatIllegalArgumentException().isThrownBy(() -> frame.length(-1));
    }

    @Test
    void unusedMemoryIsKeptOnlyUpToItsLimit() {
        List<FrameBuffer> frames = new ArrayList<>();
        int kept = FramePool.KEPT_BYTES_MAX / FrameLayout.FRAME_BYTES_MAX;
        for (int i = 0; i < kept + 3; i++) {
            frames.add(pool.acquire(FrameLayout.FRAME_BYTES_MAX));
        }
        frames.forEach(FrameBuffer::release);
        Set<FrameBuffer> old = new HashSet<>(frames);
        int again = 0;
        for (int i = 0; i < kept + 3; i++) {
            again += old.contains(pool.acquire(FrameLayout.FRAME_BYTES_MAX)) ? 1 : 0;
        }
        assertThat(again).isEqualTo(kept);
    }

    @Test
    void noTwoHoldersShareAFrame() {
        Random random = new Random(SEED);
        List<FrameBuffer> held = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            if (held.isEmpty() || (random.nextInt(5) < 3 && held.size() < 64)) {
                FrameBuffer frame = pool.acquire(8 + random.nextInt(20_000));
                frame.bytes().putLong(0, step);
                for (FrameBuffer other : held) {
                    assertThat(other).as("seed %d", SEED).isNotSameAs(frame);
                }
                held.add(frame);
            } else {
                held.remove(random.nextInt(held.size())).release();
            }
            assertThat(pool.leased()).isEqualTo(held.size());
        }
    }
}
