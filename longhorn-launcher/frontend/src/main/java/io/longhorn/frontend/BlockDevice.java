package io.longhorn.frontend;

import io.longhorn.CompareResult;
import io.longhorn.DataPathSettings;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.HeldSnapshot;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Volume;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/**
 * What a frontend serves: an open volume, or a snapshot, which takes no changes. Ranges, order, durability, buffers, threads and errors are those of {@link Volume}, but for
 * two things. An operation beyond the volume's queue waits its turn instead of failing, so a frontend bounds what each of its clients may have in flight. And every failure
 * comes by the stage, also one that {@code Volume} throws at once.
 */
public interface BlockDevice {

    /** How many operations a device lets go to its volume at once unless told otherwise: half of the default of {@link DataPathSettings#queueDepthMax()}. */
    int IN_FLIGHT_MAX = 128;

    /** A volume, with at most {@link #IN_FLIGHT_MAX} operations at once. */
    static BlockDevice of(Volume volume) {
        return of(volume, IN_FLIGHT_MAX);
    }

    /**
     * A volume; read-only if the volume is. Two devices of one volume share nothing, so make one and serve that by all frontends.
     *
     * @param inFlightMax how many operations may be at work at once, at least 1; not above the volume's own limit
     */
    static BlockDevice of(Volume volume, int inFlightMax) {
        return new VolumeDevice(volume, inFlightMax);
    }

    /** A snapshot, named {@code volume@snapshot}. Whoever serves it holds it until it is served no longer. */
    static BlockDevice of(HeldSnapshot snapshot) {
        return new SnapshotDevice(snapshot, IN_FLIGHT_MAX);
    }

    /** The name of the volume, or {@code volume@snapshot}. */
    String name();

    /** The id of the volume; a snapshot's is derived from it and the snapshot's name and creation, and is the same whenever it is served. */
    UUID id();

    /** The size now; that of a volume may grow, see {@link #onResize}. */
    long sizeBytes();

    /** Whether every change fails with {@link ReadOnlyVolumeException}. */
    boolean isReadOnly();

    /** As {@link Volume#readAsync}. */
    CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination);

    /** As {@link Volume#writeAsync(long, ByteBuffer, WriteOption...)}. */
    CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options);

    /** As {@link Volume#flushAsync}; complete at once for a snapshot. */
    CompletionStage<Void> flushAsync();

    /** As {@link Volume#discardAsync}. */
    CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes);

    /** As {@link Volume#writeZeroesAsync}. */
    CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options);

    /** As {@link Volume#compareAndWriteAsync}. */
    CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options);

    /** As {@link Volume#afterCompletions}. */
    void afterCompletions(Runnable task);

    /** As {@link Volume#allocation}. Blocks, so it is not for an event loop. */
    List<Extent> allocation(long offsetBytes, long lengthBytes);

    /** Tells the listener each new size from now on, where the volume's listeners run; it must not block. A snapshot never tells one. */
    EventSubscription onResize(LongConsumer listener);
}
