package io.longhorn.spi;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.RestoringVolume;
import io.longhorn.Snapshot;
import io.longhorn.StandbyVolume;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Moves snapshots to backup targets and back. Has a public constructor without arguments that acquires nothing; one
 * object may serve calls of several threads and several {@link Longhorn} instances.
 */
public interface BackupProvider {

    /** See {@link Snapshot#startBackup(BackupTarget, BackupSpec)}. */
    BackupOperation start(Snapshot snapshot, BackupTarget target, BackupSpec spec);

    /** See {@link Longhorn#backups(BackupTarget)}. */
    List<Backup> backups(Longhorn longhorn, BackupTarget target);

    /** See {@link Longhorn#findBackup(BackupTarget, String, String)}. */
    Optional<Backup> find(Longhorn longhorn, BackupTarget target, String volume, String backup);

    /** See {@link Longhorn#restore(Backup, VolumeSpec, ProgressListener)}. */
    Volume restore(Longhorn longhorn, Backup backup, VolumeSpec spec, ProgressListener listener);

    /** See {@link Longhorn#openRestoring(Backup, VolumeSpec)}. */
    RestoringVolume openRestoring(Longhorn longhorn, Backup backup, VolumeSpec spec);

    /** See {@link Longhorn#standby(VolumeSpec, BackupTarget, String, Duration)}. */
    StandbyVolume standby(
            Longhorn longhorn, VolumeSpec spec, BackupTarget target, String sourceVolume, Duration interval);
}
