package io.longhorn.backup;

import io.longhorn.BackupNotFoundException;
import io.longhorn.DamagedBackupException;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.spi.VolumeFilling;
import java.util.Iterator;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a standby volume from one backup to the next. The registry says before what is being taken over, and afterwards what is held; in between a snapshot keeps what was held, for
 * an activation that cannot wait. Where it is not known what the volume holds, its own content is compared. One thread.
 */
final class StandbySync {
    private static final Logger LOG = LoggerFactory.getLogger(StandbySync.class);
    private static final String KEPT = "standby-kept";

    private final VolumeFilling filling;
    private final Volume volume;
    private final StandbyProgress progress;
    private VolumeSource source;

    StandbySync(VolumeFilling filling, Volume volume, VolumeSource source, StandbyProgress progress) {
        this.filling = filling;
        this.volume = volume;
        this.source = source;
        this.progress = progress;
        progress.source(source);
    }

    VolumeSource source() {
        return source;
    }

    private void source(VolumeSource changed) {
        filling.source(volume, Optional.of(changed.text()));
        source = changed;
        progress.source(changed);
    }

    /** The newest backup that is complete and can be read: the one that the volume's document names, unless that is gone or damaged. Empty if there is none. */
    static Optional<BackupConfig> newest(BackupStore store, String volume) {
        Optional<BackupConfig> last =
                store.volume(volume).flatMap(config -> complete(store, volume, config.lastBackupName()));
        return last.isPresent()
                ? last
                : store.backups(volume).stream()
                        .flatMap(name -> complete(store, volume, name).stream())
                        .max(BackupDeletion.BY_TIME);
    }

    private static Optional<BackupConfig> complete(BackupStore store, String volume, String name) {
        try {
            return name.isEmpty()
                    ? Optional.empty()
                    : Optional.of(store.backup(volume, name)).filter(backup -> !backup.isInProgress());
        } catch (DamagedBackupException | BackupNotFoundException e) {
            LOG.warn("not taken over: {}", e.getMessage());
            return Optional.empty();
        }
    }

    /** Takes over the newest backup, if it is not held already. */
    void run(BackupStore store) throws Exception {
        // Mostly there is nothing new, and nobody needs to be locked out for that.
        if (isHeld(
                store.volume(source.volume()).map(VolumeConfig::lastBackupName).orElse(""))) {
            return;
        }
        try (StoreLock lock =
                StoreLock.acquire(store.objects(), source.volume(), StoreLock.Kind.BACKUP_OR_RESTORE, store.time())) {
            Optional<BackupConfig> newest = newest(store, source.volume());
            if (newest.isPresent() && !isHeld(newest.get().name()) && !isOlder(newest.get())) {
                take(store, newest.get(), lock);
            }
        }
    }

    /** Where the backup that it holds was deleted, older ones may be left: the volume does not go back in time for them. */
    private boolean isOlder(BackupConfig newest) {
        return newest.createdTime().compareTo(source.appliedAt()) < 0;
    }

    private boolean isHeld(String backup) {
        return source.next().isEmpty() && source.applied().equals(Optional.of(backup));
    }

    private void take(BackupStore store, BackupConfig next, StoreLock lock) throws Exception {
        boolean interrupted = source.next().isPresent();
        Optional<BackupConfig> held =
                interrupted ? Optional.empty() : source.applied().flatMap(name -> find(store, name, next));
        if (!interrupted) {
            keep();
        }
        source(source.taking(next.name()));
        long sizeBytes = store.volumeBytes(next);
        if (RestoreRun.pages(sizeBytes) > volume.sizeBytes()) {
            volume.expandTo(RestoreRun.pages(sizeBytes));
        }
        BlockRestore restore = new BlockRestore(store, next, volume, sizeBytes);
        SortedSet<Long> offsets = held.isPresent() ? differing(held.get(), next) : all(next, sizeBytes);
        progress.begin(offsets.size() * (long) next.blockBytes());
        Iterator<Long> left = offsets.iterator();
        boolean known = held.isPresent();
        Workers.run(
                "longhorn-standby-" + volume.name(),
                RestoreRun.WORKERS,
                () -> () -> {
                    Long offset = next(left);
                    if (offset == null) {
                        return false;
                    }
                    put(restore, offset, known);
                    progress.done(next.blockBytes());
                    return true;
                },
                lock::keep);
        volume.flush();
        source(source.holding(next));
        letGo();
        LOG.info("standby volume {} holds backup {} of volume {}", volume.name(), next.name(), source.volume());
    }

    private static @Nullable Long next(Iterator<Long> offsets) {
        synchronized (offsets) {
            return offsets.hasNext() ? offsets.next() : null;
        }
    }

    /** A backup with which the next one can be compared; empty if it is gone. */
    private static Optional<BackupConfig> find(BackupStore store, String name, BackupConfig next) {
        try {
            return Optional.of(store.completeBackup(next.volumeName(), name))
                    .filter(held -> held.blockBytes() == next.blockBytes());
        } catch (BackupNotFoundException | DamagedBackupException e) {
            LOG.info("the volume's own content is compared: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private static SortedSet<Long> differing(BackupConfig held, BackupConfig next) {
        SortedSet<Long> offsets = new TreeSet<>();
        for (BlockReference block : next.blocks()) {
            if (!held.blocks().at(block.offsetBytes()).equals(Optional.of(block))) {
                offsets.add(block.offsetBytes());
            }
        }
        for (BlockReference block : held.blocks()) {
            if (next.blocks().at(block.offsetBytes()).isEmpty()) {
                offsets.add(block.offsetBytes());
            }
        }
        return offsets;
    }

    private static SortedSet<Long> all(BackupConfig next, long sizeBytes) {
        SortedSet<Long> offsets = new TreeSet<>();
        for (long offset = 0; offset < sizeBytes; offset += next.blockBytes()) {
            offsets.add(offset);
        }
        return offsets;
    }

    private static void put(BlockRestore restore, long offset, boolean isKnownToDiffer) throws InterruptedException {
        Optional<BlockReference> block = restore.backup().blocks().at(offset);
        if (block.isPresent()) {
            if (isKnownToDiffer || !restore.holds(block.get())) {
                restore.replace(block.get());
            }
        } else if (isKnownToDiffer || restore.holdsData(offset)) {
            restore.clear(offset);
        }
    }

    // ------------------------------------------------------------------ what was held

    private void keep() {
        letGo();
        if (source.applied().isPresent()) {
            volume.snapshot(KEPT);
        }
    }

    private void letGo() {
        volume.findSnapshot(KEPT).ifPresent(Snapshot::delete);
    }

    /**
     * Ends the standby: the volume has the content of the backup that it holds, and is complete.
     *
     * @throws IllegalStateException if it holds none
     */
    void activate() {
        if (source.applied().isEmpty()) {
            throw new IllegalStateException("standby volume " + volume.name() + " has not taken over any backup of "
                    + "volume " + source.volume() + " yet");
        }
        if (source.next().isPresent()) {
            volume.revertTo(volume.findSnapshot(KEPT).orElseThrow());
        }
        letGo();
        filling.source(volume, Optional.empty());
    }
}
