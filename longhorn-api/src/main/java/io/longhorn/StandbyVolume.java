package io.longhorn;

import java.time.Instant;
import java.util.Optional;

/**
 * A volume that follows the backups of another one, for the day when that one is lost. It takes over each new backup, only the blocks that differ, and nobody reads or writes it
 * until it is activated: {@link Longhorn#open} refuses it. It follows while this object is open, and goes on where it was when it is opened again with {@link Longhorn#standby}.
 * Safe for any thread.
 */
public interface StandbyVolume extends AutoCloseable {

    /**
     * How a standby volume is doing.
     *
     * @param appliedBackup the backup whose content it has, all of it; empty if none yet
     * @param applyingBackup the one that is being taken over; empty if none
     * @param doneBytes how much of that is done, of what had to be looked at
     * @param totalBytes 0 if none is being taken over
     * @param lookedAt when the target was looked at last with success; empty if never
     * @param failure why the last attempt failed, for people; empty if it did not
     */
    record Status(
            Optional<String> appliedBackup,
            Optional<String> applyingBackup,
            long doneBytes,
            long totalBytes,
            Optional<Instant> lookedAt,
            Optional<String> failure) {}

    /** Of this volume. */
    String name();

    /** The volume whose backups it follows. */
    String sourceVolume();

    /** Where they are. */
    BackupTarget target();

    /** How it is doing now; asks nobody. */
    Status status();

    /** How the volume and its replicas are doing. */
    VolumeHealth health();

    /** The size now; grows with that of the source. */
    long sizeBytes();

    /**
     * Looks at the target now, takes over the newest backup, and waits for that.
     *
     * @throws InterruptedException if the thread is interrupted; the next attempt goes on
     * @throws BackupTargetException if the target fails, also when asked again
     * @throws BackupTargetBusyException if somebody deletes backups of the source at the moment
     * @throws DamagedBackupException if the newest backup is damaged
     */
    void synchronize() throws InterruptedException;

    /**
     * Takes over the newest backup and makes this a normal volume, which it returns open. This object is closed then. If that fails, it is a standby volume still.
     *
     * @throws InterruptedException if the thread is interrupted; it is a standby volume still
     * @throws IllegalStateException if there is no backup to take over, and never was
     */
    Volume activate() throws InterruptedException;

    /**
     * Makes this a normal volume at once, with the content of {@link Status#appliedBackup()}, whatever is at the target; for when that is out of reach. What was taken over of a
     * newer backup is undone.
     *
     * @throws IllegalStateException if it has no whole backup's content
     */
    Volume activateNow();

    /** Stops following. The volume stays a standby volume. Does nothing the second time. */
    @Override
    void close();
}
