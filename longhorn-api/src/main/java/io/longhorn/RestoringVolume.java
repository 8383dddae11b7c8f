package io.longhorn;

import java.util.concurrent.CompletionStage;

/**
 * A volume that is used while it is being restored: what is touched is fetched first, the rest streams in behind. Its content is the backup's from the first moment; a call that
 * touches what is not there yet takes as long as fetching it, and fails with {@link BackupTargetException} or {@link DamagedBackupException} if that fails. When all is there it
 * goes on as any volume, and everybody may open it.
 *
 * <p>Until then snapshots cannot be taken, and {@link Longhorn#open} refuses the volume; after a crash {@link Longhorn#openRestoring} goes on where it was. Closing the volume
 * ends the restore for now.
 */
public interface RestoringVolume extends Volume {

    /** How far a restore is, in bytes of the backup. */
    record RestoreProgress(long doneBytes, long totalBytes) {}

    /** How much of the backup is in the volume. */
    RestoreProgress restoreProgress();

    /**
     * Ends when all of the backup is in the volume, durably, or with the reason why it cannot be: a damaged backup, or a volume that was closed or faulted. A target that cannot be
     * reached is tried again until it can.
     */
    CompletionStage<Void> restored();
}
