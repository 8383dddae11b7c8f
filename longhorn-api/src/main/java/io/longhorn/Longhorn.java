package io.longhorn;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The way in: creates, opens, lists and deletes volumes.
 *
 * <pre>{@code
 * try (Longhorn longhorn = Longhorn.embedded(directory)) {
 *     Volume volume = longhorn.create(VolumeSpec.named("orders").sizeBytes(20L << 30).build());
 *     volume.write(0, buffer);     // returns when every in-sync replica has it
 *     volume.flush();              // returns when it survives power loss
 * }
 * }</pre>
 *
 * <p>Safe to call from any thread. Blocking calls end within the time limits of the {@link LonghornConfig}. An interrupt
 * of a waiting thread does not cut a call short: the call completes, and the thread's interrupt flag is set again on
 * return. Every {@link Volume} returned here is owned by this object, and {@link #close()} closes it. For that reason all
 * ways to come by a volume are methods of this type, also {@link #cloneSnapshot} and {@link #restore}, and none is a
 * method of {@link Snapshot} or {@link Backup}.
 *
 * <p>After {@code close()} every method throws {@link IllegalStateException}.
 */
public interface Longhorn extends AutoCloseable {

    /**
     * Opens or creates a store in a directory of this machine: three replicas of each volume in three subdirectories,
     * each with a journal of its own, reached inside the process without sockets. Good for a single machine, tests and
     * first steps; it survives the loss or damage of up to two of the subdirectories, not the loss of the machine.
     *
     * @param directory created if it does not exist; its parent must exist
     * @throws EngineMissingException if {@code io.longhorn:longhorn-engine} is not on the class path or module path
     * @throws DiskLockedException if another process or another {@code Longhorn} uses the directory
     */
    static Longhorn embedded(Path directory) {
        Objects.requireNonNull(directory, "directory");
        return Providers.engine().embedded(directory);
    }

    /**
     * Works with replicas on remote replica servers. Returns without waiting for the servers: one that cannot be reached
     * is reported by the call that needs it.
     *
     * @throws EngineMissingException if {@code io.longhorn:longhorn-engine} is not on the class path or module path
     * @throws RegistryUnavailableException if the registry cannot be read
     */
    static Longhorn connect(LonghornConfig config) {
        Objects.requireNonNull(config, "config");
        return Providers.engine().connect(config);
    }

    /**
     * Creates a volume and opens it. All of it reads as zeroes and takes no space yet.
     *
     * @throws IllegalArgumentException if the spec has no size
     * @throws VolumeExistsException if the registry knows a volume of that name
     * @throws TooFewReplicasException if fewer replica servers than {@link VolumeSpec#replicas()} can be reached, unless
     *     the spec has {@link VolumeSpec.Builder#allowDegraded(boolean) allowDegraded} and at least
     *     {@link VolumeSpec#minInSync()} can
     */
    Volume create(VolumeSpec spec);

    /**
     * Opens a volume for reading and writing; the same as {@link #open(String, OpenMode) open(name,
     * OpenMode.READ_WRITE)}.
     */
    default Volume open(String name) {
        return open(name, OpenMode.READ_WRITE);
    }

    /**
     * Opens a volume. If this object has it open already in the same mode, the same {@code Volume} is returned. If
     * another instance has it open, in this or another process, this one takes it over: it takes the next epoch, and
     * from then on nothing is confirmed to the older one, whose calls fail with {@link FencedException}. Unless the older
     * engine closed cleanly or is proved dead, opening waits until its read lease has run out. The same holds for
     * {@link OpenMode#READ_ONLY}: reads are only right while nobody else writes.
     *
     * @throws VolumeNotFoundException if the registry knows no volume of that name
     * @throws VolumeInUseException if this object has the volume open in the other mode
     * @throws VolumeIncompleteException if it is being filled from a backup
     * @throws TooFewReplicasException if fewer than {@link VolumeSpec#minInSync()} usable replicas answered in time
     * @throws SalvageNeededException if the replicas that answer may lack confirmed writes
     * @throws VolumeLostException if no replica holds the volume's data any more
     */
    Volume open(String name, OpenMode mode);

    /**
     * Whether somebody has the volume open: this object, or another engine that may be alive. Who opens it then takes it over. Of an engine that ended without closing it that is
     * said as long as it is not proved dead.
     *
     * @throws VolumeNotFoundException if the registry knows no volume of that name
     */
    boolean isInUse(String name);

    /** The names of all volumes of the registry, in alphabetical order, whether open or not. */
    List<String> volumes();

    /**
     * What the registry says of a volume, whether it is open or not; asks no replica.
     *
     * @throws VolumeNotFoundException if the registry knows no volume of that name
     */
    VolumeDescription describe(String name);

    /**
     * Deletes a volume with its snapshots. A replica whose server cannot be reached now stays behind there, named in the
     * log, and takes space until it is deleted by hand; no volume of the same name ever uses it. There is no way back
     * but a backup.
     *
     * @throws VolumeNotFoundException if the registry knows no volume of that name
     * @throws VolumeInUseException if the volume is open, here or elsewhere. An engine that ended without closing it counts
     *     as long as it is not proved dead; opening and closing the volume settles that
     */
    void delete(String name);

    /**
     * Makes a volume usable again whose remaining replicas cannot prove that they hold every confirmed write. Chooses
     * one replica, declares its content to be the truth, and starts a new epoch; <b>confirmed and even flushed writes
     * that only other replicas hold are lost</b>, and replicas that come back later are rebuilt from the chosen one.
     * The volume is not opened. Bring lost replicas back and {@link #open(String)} instead wherever that is possible.
     *
     * @return what was chosen and what may be lost
     * @throws VolumeNotFoundException if the registry knows no volume of that name
     * @throws SalvageRefusedException if salvage is not needed, if the last engine may still be alive (unless
     *     {@linkplain SalvageSpec#forced() forced}), or if the only choice is a half rebuilt replica that the spec does
     *     not name
     */
    SalvageReport salvage(String name, SalvageSpec spec);

    /**
     * Creates a volume with the content of a snapshot and opens it. Blocks until the copy is complete; the snapshot is
     * kept until then, even if it is deleted meanwhile. The new volume is independent of the old one.
     *
     * @param snapshot of a volume that is open here
     * @param spec its size, if given, must be at least the snapshot's; by default it is the snapshot's
     * @throws VolumeExistsException if the registry knows a volume of that name
     * @throws TooFewReplicasException as {@link #create}
     */
    Volume cloneSnapshot(Snapshot snapshot, VolumeSpec spec);

    /**
     * Lists the backups of all volumes on a target, by volume, oldest first.
     *
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     */
    default List<Backup> backups(BackupTarget target) {
        Objects.requireNonNull(target, "target");
        return Providers.backup().backups(this, target);
    }

    /**
     * Looks for a complete backup.
     *
     * @param volume the name of the volume that was backed up
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     * @throws BackupInProgressException if it is not complete
     * @throws DamagedBackupException if its document cannot be understood
     */
    default Optional<Backup> findBackup(BackupTarget target, String volume, String backup) {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(volume, "volume");
        Objects.requireNonNull(backup, "backup");
        return Providers.backup().find(this, target, volume, backup);
    }

    /** Restores without telling progress; see {@link #restore(Backup, VolumeSpec, ProgressListener)}. */
    default Volume restore(Backup backup, VolumeSpec spec) {
        return restore(backup, spec, ProgressListener.none());
    }

    /**
     * Creates a volume with the content of a backup and opens it. Blocks until every block was fetched and verified. When it fails, the volume stays, and {@link #open} refuses
     * it; the same call goes on where it was, also in another process, and {@link #delete} gives it up. An interrupt of the waiting thread ends it likewise.
     *
     * @param spec its size, if given, must be at least the backup's; by default it is the backup's
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     * @throws VolumeExistsException if the registry knows a volume of that name, unless an earlier restore of this backup left it
     * @throws BackupNotFoundException if the backup was deleted
     * @throws BackupTargetException if the target fails, also when asked again
     * @throws BackupTargetBusyException if somebody deletes backups of the volume at the moment
     * @throws DamagedBackupException if the backup is damaged; says which block, and which other backups need it
     * @throws java.util.concurrent.CancellationException if the thread was interrupted
     */
    default Volume restore(Backup backup, VolumeSpec spec, ProgressListener listener) {
        Objects.requireNonNull(backup, "backup");
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(listener, "listener");
        return Providers.backup().restore(this, backup, spec, listener);
    }

    /**
     * Creates a volume with the content of a backup and opens it at once: blocks are fetched when they are touched, and the rest streams in behind. The same call goes on with a
     * volume that an earlier one of this backup left, after a crash too.
     *
     * @param spec its size, if given, must be at least the backup's; by default it is the backup's
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     * @throws VolumeExistsException if the registry knows a volume of that name, unless an earlier restore of this backup left it
     * @throws BackupNotFoundException if the backup was deleted
     */
    default RestoringVolume openRestoring(Backup backup, VolumeSpec spec) {
        Objects.requireNonNull(backup, "backup");
        Objects.requireNonNull(spec, "spec");
        return Providers.backup().openRestoring(this, backup, spec);
    }

    /** Opens a standby volume that looks for new backups every five minutes; see {@link #standby(VolumeSpec, BackupTarget, String, Duration)}. */
    default StandbyVolume standby(String name, BackupTarget target, String sourceVolume) {
        return standby(VolumeSpec.named(name).build(), target, sourceVolume, Duration.ofMinutes(5));
    }

    /**
     * Creates a volume that follows the backups of another one, or goes on with one that was created so, also after a crash.
     *
     * @param spec of the volume, when it is created; its size is the source's
     * @param target where the source is backed up
     * @param sourceVolume the name of the source, which may be of another cluster
     * @param interval between two looks at the target, after the first one at once; {@link StandbyVolume#synchronize()} looks besides
     * @throws BackupModuleMissingException if {@code io.longhorn:longhorn-backup} is not present
     * @throws BackupTargetException if there is no complete backup of the source yet, or the target fails
     * @throws VolumeExistsException if the registry knows a volume of that name that does not follow this source at this target
     */
    default StandbyVolume standby(VolumeSpec spec, BackupTarget target, String sourceVolume, Duration interval) {
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(sourceVolume, "sourceVolume");
        if (interval.isNegative() || interval.isZero()) {
            throw new IllegalArgumentException("the interval must be positive, was " + interval);
        }
        return Providers.backup().standby(this, spec, target, sourceVolume, interval);
    }

    /**
     * Closes all volumes of this object, waiting for their operations in flight, then its connections and threads. Does
     * nothing the second time.
     */
    @Override
    void close();
}
