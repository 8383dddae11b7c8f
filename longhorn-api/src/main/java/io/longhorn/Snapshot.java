package io.longhorn;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;

/**
 * The content of a volume at one moment; never changes. Belongs to an open {@link Volume}, whose rules for ranges,
 * buffers, threads and errors hold here too; unusable once that volume is closed. After {@link #delete()}, or deletion
 * through another object, calls that touch content fail with {@link SnapshotNotFoundException}.
 */
public interface Snapshot {

    /** Unique in its volume. */
    String name();

    /** The volume it belongs to. */
    Volume volume();

    /** When it was taken, by the clock of the engine that took it. */
    Instant createdAt();

    /** Given when it was taken; unmodifiable. */
    Map<String, String> labels();

    /**
     * The snapshot that the volume's content was based on when this one was taken: the newest one then, or the one that
     * was reverted to. Empty for the first; if the parent was deleted, the nearest ancestor left.
     */
    Optional<Snapshot> parent();

    /** Whether a caller took it; false if the system did, for a rebuild or a clone. */
    boolean userMade();

    /** The size of the volume when it was taken. */
    long sizeBytes();

    /** The space that is kept by this snapshot alone; deleting it frees about that much on each replica. */
    long actualBytes();

    /**
     * Fills the remaining bytes of {@code destination} from {@code offsetBytes} on.
     *
     * @throws OutOfRangeException if the range leaves the snapshot's size
     * @throws DamagedBlockException if no in-sync replica has a copy of a block that matches its checksum
     */
    void read(long offsetBytes, ByteBuffer destination);

    /** As {@link #read}; completes when the buffer is filled. */
    CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination);

    /**
     * Keeps the content readable through the returned object until that is closed, whatever becomes of the snapshot. What is held can be held once more, by another object
     * with a life of its own.
     *
     * @throws SnapshotNotFoundException if it was deleted before, and this is no {@link HeldSnapshot} that is open
     */
    HeldSnapshot hold();

    /** What a range of the snapshot holds; see {@link Volume#allocation}. */
    List<Extent> allocation(long offsetBytes, long lengthBytes);

    /**
     * The blocks of a range that may differ from an older snapshot, in order, cut to the range, with what they hold here;
     * blocks left out are equal. Comes from block maps, reads no data, and may name a block that was overwritten with the
     * same bytes. At most {@link Volume#EXTENTS_MAX} extents are returned; if there are that many, go on at the
     * {@link Extent#endBytes()} of the last one.
     *
     * @param older an ancestor of this snapshot, or any other snapshot of the same volume
     * @throws IllegalArgumentException if it belongs to another volume
     * @throws OutOfRangeException if the range leaves the snapshot's size
     */
    List<Extent> changedSince(Snapshot older, long offsetBytes, long lengthBytes);

    /** All blocks that may differ from an older snapshot; see {@link #changedSince(Snapshot, long, long)}. */
    default List<Extent> changedSince(Snapshot older) {
        List<Extent> changed = new ArrayList<>();
        long offsetBytes = 0;
        List<Extent> part;
        do {
            part = changedSince(older, offsetBytes, sizeBytes() - offsetBytes);
            changed.addAll(part);
            offsetBytes =
                    part.isEmpty() ? sizeBytes() : part.get(part.size() - 1).endBytes();
        } while (part.size() >= Volume.EXTENTS_MAX && offsetBytes < sizeBytes());
        return changed;
    }

    /** Exports without telling progress; see {@link #exportTo(Path, ProgressListener)}. */
    default void exportTo(Path file) {
        exportTo(file, ProgressListener.none());
    }

    /**
     * Writes the snapshot to a new file as a sparse raw image and forces it; see {@link Volume#exportTo(Path,
     * ProgressListener)}. The snapshot is kept until the end, even if it is deleted meanwhile.
     *
     * @throws TransferException if the file exists or cannot be written
     */
    void exportTo(Path file, ProgressListener listener);

    /** Backs the snapshot up with the defaults; see {@link #backUpTo(BackupTarget, BackupSpec)}. */
    default Backup backUpTo(BackupTarget target) {
        return backUpTo(target, BackupSpec.defaults());
    }

    /**
     * Backs the snapshot up and waits until the backup is complete and usable; see {@link #startBackup}. An interrupt of the waiting thread cancels the backup; the interrupt flag
     * is set again on return.
     *
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     * @throws BackupTargetException if the target fails
     * @throws BackupTargetBusyException if somebody deletes backups of the volume at the moment
     * @throws java.util.concurrent.CancellationException if the thread was interrupted
     */
    default Backup backUpTo(BackupTarget target, BackupSpec spec) {
        BackupOperation operation = startBackup(target, spec);
        try {
            return operation.await();
        } catch (InterruptedException e) {
            operation.cancel();
            Thread.currentThread().interrupt();
            CancellationException cancelled = new CancellationException("interrupted");
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    /**
     * Begins to back the snapshot up, on threads of the backup's own, while the volume goes on. Only blocks that changed since the base are read, the base being the newest backup at
     * the target whose snapshot still exists, and only those sent that the target does not have. The snapshot is kept until the end, even if it is deleted meanwhile; keep it
     * yourself as the base of the next backup.
     *
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     */
    default BackupOperation startBackup(BackupTarget target, BackupSpec spec) {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(spec, "spec");
        return Providers.backup().start(this, target, spec);
    }

    /**
     * Deletes the snapshot. Content of volume and other snapshots stays; no block is copied. Gone from
     * {@link Volume#snapshots()} and durably so on return; its space comes back in the background, or at the end of a
     * backup, export or clone that still reads it.
     *
     * @throws SnapshotNotFoundException if it was deleted before
     */
    void delete();
}
