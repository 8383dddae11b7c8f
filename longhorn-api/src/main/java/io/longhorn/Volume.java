package io.longhorn;

import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * An open volume: a thin block device of a fixed size, of which every in-sync replica holds the whole content.
 *
 * <p><b>Ranges.</b> Every offset and length inside the volume is legal; ranges aligned to {@link #BLOCK_BYTES} are fast,
 * because a partly written block has to be read first. Nothing that was never written takes space; it reads as zeroes.
 *
 * <p><b>Order.</b> Changes of overlapping ranges take effect in the order in which they were called. What a call of
 * one thread confirmed is visible to every call of any thread that begins later; a read beside a change that is not confirmed shows either. A single write is not atomic beyond a
 * block: a read beside it, or a power failure before {@link #flush()}, may show some of its blocks new and some old, but
 * never a mix inside a block. {@link #compareAndWrite} is atomic towards other calls.
 *
 * <p><b>Durability.</b> See {@link Durability} for what the return of a write means, and {@link #flush()} for power loss.
 *
 * <p><b>Buffers.</b> Heap and direct buffers. A read fills, and a write consumes, the bytes between position and limit,
 * and sets the position to the limit on return, or just before its stage completes. The buffer stays the caller's; do not
 * touch it until the call returns or the stage completes. When an operation fails its position is as before, and the
 * content of a read's buffer is undefined. An empty buffer does nothing, if the offset is inside the volume or at its end.
 *
 * <p><b>Threads.</b> Safe to call from any thread. Stages complete, and listeners run, on the thread that runs the volume's loop at
 * the moment: the loop's own, one that waits in a blocking call and does the loop's work meanwhile, or one that makes an asynchronous call while nothing else is in flight (the
 * last two not with {@link Longhorn#embedded}). A stage may be complete when the call returns, and what is made to depend on it then runs on the caller. What depends on stages, and listeners, must not block, and a blocking call made there throws {@link IllegalStateException}; pass an executor
 * to the {@code ...Async} methods of {@link CompletionStage} for longer work. A blocking call ends within the operation
 * time limit of {@link LonghornConfig}, by {@link TimeLimitException} if need be. An interrupt does not cut it short: the
 * call completes, and the interrupt flag is set again on return.
 *
 * <p><b>Back pressure.</b> At most {@link DataPathSettings#queueDepthMax()} operations are in flight. Beyond that a
 * blocking call waits for its place, and an asynchronous one fails with {@link QueueFullException}.
 *
 * <p><b>Errors.</b> Wrong arguments throw {@link IllegalArgumentException}, ranges outside the volume
 * {@link OutOfRangeException}, at once also from asynchronous methods. All other failures are {@link LonghornException}s,
 * thrown by blocking calls and delivered by stages; besides those that a method names, each operation can fail with
 * {@link VolumeClosedException}, {@link FencedException} once another instance opened the volume,
 * {@link UnflushedWritesLostException}, {@link VolumeFaultedException} and {@link TimeLimitException}; each change with
 * {@link ReadOnlyVolumeException}, {@link TooFewReplicasException} when fewer than {@link VolumeSpec#minInSync()} replicas
 * are in sync, and {@link DiskFullException}. After a change failed, its range may hold the old or the new content.
 */
public interface Volume extends AutoCloseable {

    /** The unit of checksum, allocation, change tracking and rebuild. */
    int BLOCK_BYTES = 4096;

    /** The longest range of {@link #compareAndWrite}. */
    int COMPARE_AND_WRITE_BYTES_MAX = 64 << 10;

    /** The most snapshots of a volume, those made by the system included. */
    int SNAPSHOTS_MAX = 250;

    /** The most extents that one call of {@link #allocation} returns. */
    int EXTENTS_MAX = 64 << 10;

    /** Unique in its registry. */
    String name();

    /** Given at creation; a volume of the same name created later has another one. */
    UUID id();

    /** The size now; grows by {@link #expandTo}. */
    long sizeBytes();

    /** Chosen at creation. */
    Durability durability();

    /** Given at creation; unmodifiable. */
    Map<String, String> labels();

    /** Whether it was opened with {@link OpenMode#READ_ONLY}. */
    boolean isReadOnly();

    /**
     * Runs {@code task} once the stages that complete together with the present one have completed: for what is better done once for many completions, such as
     * waking another thread. Called where a stage of this volume completes, it runs on the same thread a moment later; called elsewhere it runs at once. Tasks run in the order
     * of the calls, and must neither block nor throw.
     */
    default void afterCompletions(Runnable task) {
        task.run();
    }

    /**
     * Fills the remaining bytes of {@code destination} from {@code offsetBytes} on.
     *
     * @throws OutOfRangeException if the range leaves the volume
     * @throws DamagedBlockException if no in-sync replica has a copy of a block that matches its checksum
     */
    void read(long offsetBytes, ByteBuffer destination);

    /** As {@link #read}; completes when the buffer is filled. */
    CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination);

    /**
     * Writes the remaining bytes of {@code source} at {@code offsetBytes}. Returns once every in-sync replica has
     * journaled it; in a {@link Durability#WRITE_THROUGH} volume once every one has it on stable storage.
     *
     * @throws OutOfRangeException if the range leaves the volume
     */
    void write(long offsetBytes, ByteBuffer source);

    /**
     * Writes the remaining bytes of {@code source} at {@code offsetBytes}. With {@link WriteOption#FORCED} returns once
     * every in-sync replica has it on stable storage.
     *
     * @throws OutOfRangeException if the range leaves the volume
     */
    void write(long offsetBytes, ByteBuffer source, WriteOption... options);

    /** As {@link #write(long, ByteBuffer)}; completes when the write is confirmed. */
    CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source);

    /** As {@link #write(long, ByteBuffer, WriteOption...)}; completes when the write is confirmed. */
    CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options);

    /**
     * Returns when every change that was confirmed before the call is on stable storage of every in-sync replica, so that
     * it survives power loss of all machines at once, and the permanent loss of all replicas but one.
     */
    void flush();

    /** As {@link #flush}. */
    CompletionStage<Void> flushAsync();

    /**
     * Tells that a range is no longer needed. It reads as zeroes afterwards, unaligned ends included, and the space of
     * its whole blocks is given back unless snapshots need it. Durable like a write.
     *
     * @throws OutOfRangeException if the range leaves the volume
     */
    void discard(long offsetBytes, long lengthBytes);

    /** As {@link #discard}. */
    CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes);

    /**
     * Makes a range read as zeroes, unaligned ends included, without sending them. The space of its whole blocks is
     * given back, as by {@link #discard}, unless {@link ZeroOption#ALLOCATE} asks to keep it. Durable like a write.
     *
     * @throws OutOfRangeException if the range leaves the volume
     */
    void writeZeroes(long offsetBytes, long lengthBytes, ZeroOption... options);

    /** As {@link #writeZeroes}. */
    CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options);

    /**
     * Replaces a range if it holds what is expected, as one step towards all other operations: none sees, or changes,
     * anything between comparison and write. Both buffers are consumed, whatever the outcome.
     *
     * @param expected what the range must hold; 1 to {@link #COMPARE_AND_WRITE_BYTES_MAX} bytes
     * @param replacement what it shall hold; as many bytes
     * @throws IllegalArgumentException if the buffers differ in length, or the length is out of bounds
     * @throws OutOfRangeException if the range leaves the volume
     */
    CompareResult compareAndWrite(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options);

    /** As {@link #compareAndWrite}. */
    CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options);

    /**
     * Tells what a range holds, in whole blocks cut to the range, in order and without gaps, neighbours of the same state
     * joined. At most {@link #EXTENTS_MAX} extents are returned; if the range has more, go on at the
     * {@link Extent#endBytes()} of the last one. Empty for an empty range.
     *
     * @throws OutOfRangeException if the range leaves the volume
     */
    List<Extent> allocation(long offsetBytes, long lengthBytes);

    /** Takes a snapshot without labels; see {@link #snapshot(SnapshotSpec)}. */
    default Snapshot snapshot(String name) {
        return snapshot(SnapshotSpec.named(name).build());
    }

    /**
     * Takes a snapshot: the content as of one point in the order of all operations, every write confirmed before the call
     * included. One round trip, nothing is copied, and running writes do not wait. On return the snapshot and all it
     * contains is on stable storage of every in-sync replica.
     *
     * @throws SnapshotExistsException if the volume has a snapshot of that name
     * @throws SnapshotLimitException if the volume has {@link #SNAPSHOTS_MAX} snapshots
     */
    Snapshot snapshot(SnapshotSpec spec);

    /**
     * All snapshots, oldest first; unmodifiable. They form a tree by {@link Snapshot#parent()}. Answered as a read is: every
     * snapshot confirmed before the call is in it, and an instance that another one has superseded does not answer.
     */
    List<Snapshot> snapshots();

    /** The snapshot of that name. */
    default Optional<Snapshot> findSnapshot(String name) {
        return snapshots().stream()
                .filter(snapshot -> snapshot.name().equals(name))
                .findFirst();
    }

    /**
     * Makes the volume hold what it held when the snapshot was taken. Everything written since that is in no snapshot is
     * lost; all snapshots stay. The size stays too: what an expansion added since reads as zeroes. Durable on return.
     *
     * @throws IllegalArgumentException if the snapshot belongs to another volume
     * @throws SnapshotNotFoundException if it was deleted
     */
    void revertTo(Snapshot snapshot);

    /**
     * Makes the volume larger while it is in use. What is added reads as zeroes. Durable on return. Does nothing if the
     * volume has this size already.
     *
     * @param sizeBytes a multiple of {@link #BLOCK_BYTES}, not below {@link #sizeBytes()}, at most
     *     {@link VolumeSpec#SIZE_BYTES_MAX}
     * @throws IllegalArgumentException if it is no such size
     */
    void expandTo(long sizeBytes);

    /** How the volume and its replicas are doing now. Answers without asking the replicas, also when faulted. */
    VolumeHealth health();

    /**
     * Waits until {@link #health()} is {@link HealthState#HEALTHY}.
     *
     * @return false if it did not become so within the limit
     * @throws InterruptedException if the thread is interrupted; waiting for health is the one call that an interrupt ends
     */
    default boolean awaitHealthy(Duration limit) throws InterruptedException {
        CountDownLatch healthy = new CountDownLatch(1);
        Consumer<VolumeEvent> listener = event -> {
            if (event instanceof VolumeEvent.HealthChanged changed && changed.after() == HealthState.HEALTHY) {
                healthy.countDown();
            }
        };
        EventSubscription subscription = subscribe(listener);
        try {
            return health().state() == HealthState.HEALTHY || healthy.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        } finally {
            subscription.close();
        }
    }

    /** The replicas, and how to add and remove them by hand. */
    Replicas replicas();

    /**
     * Tells the listener every event from now on, in order, until the subscription or the volume is closed. It runs
     * where stages complete and must not block; what it throws is logged and does not end the subscription.
     */
    EventSubscription subscribe(Consumer<? super VolumeEvent> listener);

    /** The limits in force. */
    VolumeLimits limits();

    /** Changes the limits, at once also for operations that wait already. Kept with the volume for later openings. */
    void limits(VolumeLimits limits);

    /** Counters since this volume was opened. */
    VolumeStatistics statistics();

    /** The space that the volume takes on each replica. */
    SpaceUsage spaceUsage();

    /** Imports a file without telling progress; see {@link #importFrom(Path, ProgressListener)}. */
    default void importFrom(Path file) {
        importFrom(file, ProgressListener.none());
    }

    /**
     * Replaces the content of the volume by that of a raw image: a file or block device. Holes and runs of zeroes take no
     * space; behind the end of the image the volume reads as zeroes. Flushed on return. Running reads and writes see
     * parts of both contents. The operation time limit holds for each step, not for the whole.
     *
     * @throws IllegalArgumentException if the image is larger than the volume
     * @throws TransferException if the file cannot be read
     */
    void importFrom(Path file, ProgressListener listener);

    /** Exports to a file without telling progress; see {@link #exportTo(Path, ProgressListener)}. */
    default void exportTo(Path file) {
        exportTo(file, ProgressListener.none());
    }

    /**
     * Writes the content to a new file as a raw image with holes where the volume has none, and forces it. To export
     * one moment while writes run, export a {@link Snapshot}. The operation time limit holds for each step, not for the
     * whole. A file that was begun is deleted when the export fails.
     *
     * @throws TransferException if the file exists or cannot be written
     */
    void exportTo(Path file, ProgressListener listener);

    /**
     * A channel over the volume, with a position of its own that begins at 0. Its size is the volume's and cannot change:
     * a write at the end throws {@link java.io.IOException}, so does truncating below the size. Closing it does not close
     * the volume. Failures of the volume come as {@code IOException}s whose cause is the {@link LonghornException}. Safe
     * to use from several threads, one after the other.
     */
    default SeekableByteChannel asChannel() {
        return new VolumeChannel(this);
    }

    /**
     * Waits for operations in flight, makes them durable, and closes. Operations that begin later fail with
     * {@link VolumeClosedException}. Does nothing the second time, or when the volume was taken over.
     */
    @Override
    void close();
}
