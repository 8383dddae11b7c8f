package io.longhorn.benchmarks;

import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** An embedded volume in a directory of temporary files, all of it written once; and buffers of one block. */
final class EmbeddedVolume implements AutoCloseable {

    /** Above the engine's read cache of 32 MiB, so that most random reads go to a replica. */
    static final long SIZE_BYTES = 128L << 20;

    /** Asynchronous operations in flight. */
    static final int DEPTH = 32;

    private static final int CHUNK_BYTES = 256 << 10;

    private final ScratchDirectory directory = new ScratchDirectory();
    private final Longhorn longhorn;
    private final Volume volume;
    private final ByteBuffer block = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
    private final List<Slot> slots = new ArrayList<>();
    private final Random random = new Random(1);
    private int nextSlot;

    /** A place for one asynchronous operation. */
    private static final class Slot {
        private final ByteBuffer block = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
        private CompletableFuture<Void> inFlight = CompletableFuture.completedFuture(null);
    }

    EmbeddedVolume() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(
                VolumeSpec.named("benchmark").sizeBytes(SIZE_BYTES).build());
        byte[] content = new byte[CHUNK_BYTES];
        for (long offset = 0; offset < SIZE_BYTES; offset += CHUNK_BYTES) {
            random.nextBytes(content);
            volume.write(offset, ByteBuffer.wrap(content));
        }
        volume.flush();
        for (int i = 0; i < DEPTH; i++) {
            slots.add(new Slot());
        }
    }

    Volume volume() {
        return volume;
    }

    /** Writes a random block of the first so many bytes. */
    void writeWithin(long bytes) {
        volume.write(offset(bytes), block.clear());
    }

    /** Reads a random block of the first so many bytes. */
    ByteBuffer readWithin(long bytes) {
        volume.read(offset(bytes), block.clear());
        return block;
    }

    /** Waits for the oldest of {@link #DEPTH} operations in flight, and starts the write of a random block in its place. */
    void writeNextWithin(long bytes) {
        Slot slot = oldestEnded();
        slot.inFlight = volume.writeAsync(offset(bytes), slot.block.clear()).toCompletableFuture();
    }

    /** The same with a read. */
    void readNextWithin(long bytes) {
        Slot slot = oldestEnded();
        slot.inFlight = volume.readAsync(offset(bytes), slot.block.clear()).toCompletableFuture();
    }

    private Slot oldestEnded() {
        Slot slot = slots.get(nextSlot);
        nextSlot = (nextSlot + 1) % DEPTH;
        slot.inFlight.join();
        return slot;
    }

    @Override
    public void close() {
        slots.forEach(slot -> slot.inFlight.join());
        longhorn.close();
        directory.close();
    }

    private long offset(long bytes) {
        return random.nextInt((int) (bytes / Volume.BLOCK_BYTES)) * (long) Volume.BLOCK_BYTES;
    }
}
