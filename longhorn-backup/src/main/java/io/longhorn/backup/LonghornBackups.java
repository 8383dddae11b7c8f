package io.longhorn.backup;

import io.longhorn.Backup;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.DamagedBackupException;
import io.longhorn.Longhorn;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.spi.BackupProvider;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Backups of volumes, for {@link Longhorn} and {@link Snapshot}, which find it at run time. */
public final class LonghornBackups implements BackupProvider {
    private static final Logger LOG = LoggerFactory.getLogger(LonghornBackups.class);

    /** For the service loader. */
    public LonghornBackups() {}

    @Override
    public BackupOperation start(Snapshot snapshot, BackupTarget target, BackupSpec spec) {
        String name = spec.name().orElseGet(BackupSpec::randomName);
        BackupProgress progress = new BackupProgress();
        Throttle throttle = new Throttle(spec.bytesPerSecond());
        return RunningBackup.start(name, target.uri().toString(), progress, throttle, () -> {
            try (BackupStore store = BackupStore.open(target)) {
                return new BackupRun(store, target, snapshot, spec, name, throttle, progress).run();
            }
        });
    }

    @Override
    public List<Backup> backups(Longhorn longhorn, BackupTarget target) {
        List<Backup> backups = new ArrayList<>();
        try (BackupStore store = BackupStore.open(target)) {
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
    public Volume restore(Longhorn longhorn, Backup backup, VolumeSpec spec) {
        throw new UnsupportedOperationException("restore");
    }
}
