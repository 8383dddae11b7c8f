package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.CompareResult;
import io.longhorn.ExtentState;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Buffers of all kinds at all offsets, against an array of bytes that does the same. */
class BuffersTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;
    private static final int SIZE = 40 * BLOCK;
    private static final int OPERATIONS = 600;

    @TempDir
    Path directory;

    private final Random random;
    private final long seed = System.nanoTime();
    private final byte[] expected = new byte[SIZE];

    BuffersTest() {
        random = new Random(seed);
    }

    @Test
    void volumeIsAnArrayOfBytes() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume =
                    longhorn.create(VolumeSpec.named("bytes").sizeBytes(SIZE).build());
            for (int i = 0; i < OPERATIONS; i++) {
                int offset = offset();
                int length = Math.min(SIZE - offset, length());
                switch (random.nextInt(6)) {
                    case 0 -> zero(volume, offset, length);
                    case 1 -> compareAndWrite(volume, offset, Math.min(Math.max(1, length), 1 << 16));
                    case 2, 3 -> write(volume, offset, length);
                    default -> read(volume, offset, length);
                }
            }
            read(volume, 0, SIZE);
            volume.flush();
            volume.close();
            read(longhorn.open("bytes"), 0, SIZE);
        }
    }

    /** Mostly near the boundary of a block. */
    private int offset() {
        int near = random.nextInt(SIZE / BLOCK) * BLOCK + random.nextInt(7) - 3;
        return Math.min(SIZE - 1, Math.max(0, random.nextBoolean() ? near : random.nextInt(SIZE)));
    }

    private int length() {
        return random.nextBoolean() ? random.nextInt(20) : random.nextInt(4) * BLOCK + random.nextInt(BLOCK);
    }

    /** Remaining bytes somewhere in a larger buffer, on the heap or not, sliced or not. */
    private ByteBuffer buffer(int length) {
        int before = random.nextInt(100);
        int capacity = before + length + random.nextInt(100);
        ByteBuffer whole = random.nextBoolean() ? ByteBuffer.allocate(capacity) : ByteBuffer.allocateDirect(capacity);
        whole.position(before).limit(before + length);
        return random.nextBoolean() ? whole.slice() : whole;
    }

    private void write(Volume volume, int offset, int length) {
        byte[] data = new byte[length];
        random.nextBytes(data);
        ByteBuffer source = buffer(length);
        int start = source.position();
        source.put(data).position(start);
        if (random.nextBoolean()) {
            volume.writeAsync(offset, source).toCompletableFuture().join();
        } else if (random.nextInt(4) == 0) {
            volume.write(offset, source, WriteOption.FORCED);
        } else {
            volume.write(offset, source);
        }
        assertThat(source.position()).as("seed %d", seed).isEqualTo(source.limit());
        System.arraycopy(data, 0, expected, offset, length);
    }

    private void read(Volume volume, int offset, int length) {
        ByteBuffer target = buffer(length);
        int start = target.position();
        int limit = target.limit();
        if (random.nextBoolean()) {
            volume.readAsync(offset, target).toCompletableFuture().join();
        } else {
            volume.read(offset, target);
        }
        assertThat(target.position()).isEqualTo(limit);
        assertThat(target.limit()).isEqualTo(limit);
        byte[] read = new byte[length];
        target.position(start).get(read);
        assertThat(read).as("seed %d, %d bytes at %d", seed, length, offset).isEqualTo(part(offset, length));
    }

    private byte[] part(int offset, int length) {
        return Arrays.copyOfRange(expected, offset, offset + length);
    }

    private void zero(Volume volume, int offset, int length) {
        switch (random.nextInt(3)) {
            case 0 -> volume.discard(offset, length);
            case 1 ->
                volume.writeZeroesAsync(offset, length).toCompletableFuture().join();
            default -> volume.writeZeroes(offset, length, ZeroOption.ALLOCATE);
        }
        Arrays.fill(expected, offset, offset + length, (byte) 0);
    }

    private void compareAndWrite(Volume volume, int offset, int length) {
        byte[] old = part(offset, length);
        int wrong = length > 0 && random.nextBoolean() ? random.nextInt(length) : -1;
        if (wrong >= 0) {
            old[wrong]++;
        }
        byte[] data = new byte[length];
        random.nextBytes(data);
        CompareResult result = volume.compareAndWrite(offset, ByteBuffer.wrap(old), ByteBuffer.wrap(data));
        assertThat(result.written()).as("seed %d", seed).isEqualTo(wrong < 0);
        if (wrong < 0) {
            System.arraycopy(data, 0, expected, offset, length);
        } else {
            assertThat(result.mismatchBytes()).isEqualTo(wrong);
        }
    }

    @Test
    void zeroesKeepTheirSpaceIfAskedTo() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume =
                    longhorn.create(VolumeSpec.named("bytes").sizeBytes(SIZE).build());
            volume.write(0, ByteBuffer.allocate(8 * BLOCK).put(0, (byte) 1));
            volume.discard(0, 2L * BLOCK);
            volume.writeZeroes(2L * BLOCK, 2L * BLOCK, ZeroOption.ALLOCATE);
            assertThat(volume.allocation(0, SIZE))
                    .extracting(extent ->
                            extent.state() + " " + extent.offsetBytes() / BLOCK + "+" + extent.lengthBytes() / BLOCK)
                    .containsExactly("ZEROED 0+2", "DATA 2+6", "ABSENT 8+32");
            assertThat(volume.allocation(5L * BLOCK + 7, 11)).singleElement().satisfies(extent -> {
                assertThat(extent.state()).isEqualTo(ExtentState.DATA);
                assertThat(extent.offsetBytes()).isEqualTo(5L * BLOCK + 7);
                assertThat(extent.lengthBytes()).isEqualTo(11);
            });
            assertThat(volume.allocation(SIZE, 0)).isEmpty();
        }
    }
}
