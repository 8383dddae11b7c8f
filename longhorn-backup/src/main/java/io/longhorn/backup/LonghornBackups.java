package io.longhorn.backup;

import io.longhorn.Backup;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.RestoringVolume;
import io.longhorn.Snapshot;
import io.longhorn.StandbyVolume;
import io.longhorn.Volume;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import io.longhorn.spi.BackupProvider;
import io.longhorn.spi.VolumeFilling;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Backups of volumes, for {@link Longhorn} and {@link Snapshot}, which find it at run time. */
public final class LonghornBackups implements BackupProvider {
    private static final Logger LOG = LoggerFactory.getLogger(LonghornBackups.class);

    private final Function<BackupTarget, BackupStore> stores;

    /** For the service loader. */
    public LonghornBackups() {
        this(BackupStore::open);
    }

    LonghornBackups(Function<BackupTarget, BackupStore> stores) {
        this.stores = stores;
    }

    @Override
    public BackupOperation start(Snapshot snapshot, BackupTarget target, BackupSpec spec) {
        String name = spec.name().orElseGet(BackupSpec::randomName);
        BackupProgress progress = new BackupProgress();
        Throttle throttle = new Throttle(spec.bytesPerSecond());
        return RunningBackup.start(name, target.uri().toString(), progress, throttle, () -> {
            try (BackupStore store = stores.apply(target)) {
                return new BackupRun(store, target, snapshot, spec, name, throttle, progress).run();
            }
        });
    }

    @Override
    public List<Backup> backups(Longhorn longhorn, BackupTarget target) {
        List<Backup> backups = new ArrayList<>();
        try (BackupStore store = stores.apply(target)) {
            for (String volume : store.volumes()) {
                List<BackupConfig> its = new ArrayList<>();
                for (String name : store.backups(volume)) {
                    try {
                        BackupConfig config = store.backup(volume, name);
                        if (!config.isInProgress()) {
                            its.add(config);
                        }
                    } catch (DamagedBackupException | BackupNotFoundException e) {
                        LOG.warn("left out of the list: {}", e.getMessage());
                    }
                }
                its.sort(BackupDeletion.BY_TIME);
                its.forEach(config -> backups.add(store.backup(target, config, store.volumeBytes(config))));
            }
        }
        return List.copyOf(backups);
    }

    @Override
    public Optional<Backup> find(Longhorn longhorn, BackupTarget target, String volume, String backup) {
        try (BackupStore store = stores.apply(target)) {
            BackupConfig config = store.completeBackup(volume, backup);
            return Optional.of(store.backup(target, config, store.volumeBytes(config)));
        } catch (BackupNotFoundException e) {
            LOG.debug("not found", e);
            return Optional.empty();
        }
    }

    @Override
    public Volume restore(Longhorn longhorn, Backup backup, VolumeSpec spec, ProgressListener listener) {
        try (BackupStore store = stores.apply(backup.target())) {
            return restore(filling(longhorn), store, backup, spec, listener);
        }
    }

    static Volume restore(
            VolumeFilling filling, BackupStore store, Backup backup, VolumeSpec spec, ProgressListener listener) {
        RestoreRun run = new RestoreRun(filling, store, backup);
        Volume volume = run.open(spec);
        try {
            run.run(volume, listener);
            return volume;
        } catch (Exception e) {
            RuntimeException failure = Failures.of(e, store.describe());
            try {
                volume.close();
            } catch (RuntimeException closing) {
                failure.addSuppressed(closing);
            }
            throw failure;
        }
    }

    @Override
    public RestoringVolume openRestoring(Longhorn longhorn, Backup backup, VolumeSpec spec) {
        return openRestoring(filling(longhorn), stores.apply(backup.target()), backup, spec);
    }

    /** Takes the store over. */
    static RestoringVolume openRestoring(VolumeFilling filling, BackupStore store, Backup backup, VolumeSpec spec) {
        try {
            RestoreRun run = new RestoreRun(filling, store, backup);
            FillingVolume volume = new FillingVolume(run.open(spec), store, run);
            volume.start();
            return volume;
        } catch (RuntimeException e) {
            store.close();
            throw e;
        }
    }

    @Override
    public StandbyVolume standby(
            Longhorn longhorn, VolumeSpec spec, BackupTarget target, String sourceVolume, Duration interval) {
        VolumeFilling filling = filling(longhorn);
        StoreLayout.checkName("volume", sourceVolume);
        Volume volume = standbyVolume(filling, spec, target, sourceVolume);
        VolumeSource source = VolumeSource.of(filling.source(spec.name()).orElse(""))
                .orElseThrow(() -> new VolumeExistsException(spec.name()));
        StandbyProgress progress = new StandbyProgress();
        FollowingVolume following = new FollowingVolume(
                longhorn,
                volume,
                target,
                () -> stores.apply(target),
                new StandbySync(filling, volume, source, progress),
                progress,
                interval);
        following.start();
        return following;
    }

    /** A new volume, or one that follows the same backups already. */
    private Volume standbyVolume(VolumeFilling filling, VolumeSpec spec, BackupTarget target, String sourceVolume) {
        VolumeSource source = VolumeSource.standby(target.uri(), sourceVolume);
        Optional<VolumeSource> present = sourceOf(filling, spec.name());
        if (present.isPresent()) {
            if (!present.get().follows(source)) {
                throw new VolumeExistsException(spec.name());
            }
            return filling.openFilling(spec.name());
        }
        try (BackupStore store = stores.apply(target)) {
            BackupConfig newest = StandbySync.newest(store, sourceVolume)
                    .orElseThrow(() -> new BackupTargetException(
                            store.describe(), "there is no complete backup of volume " + sourceVolume + " yet"));
            return filling.createFilling(spec.withSize(RestoreRun.pages(store.volumeBytes(newest))), source.text());
        }
    }

    /** What an existing volume is filled from; empty if there is no such volume. */
    private static Optional<VolumeSource> sourceOf(VolumeFilling filling, String volume) {
        try {
            return Optional.of(filling.source(volume)
                    .flatMap(VolumeSource::of)
                    .orElseThrow(() -> new VolumeExistsException(volume)));
        } catch (VolumeNotFoundException e) {
            return Optional.empty();
        }
    }

    private static VolumeFilling filling(Longhorn longhorn) {
        if (longhorn instanceof VolumeFilling filling) {
            return filling;
        }
        throw new IllegalArgumentException(
                longhorn + " cannot restore: its volumes are made by something else than io.longhorn:longhorn-engine");
    }
}
