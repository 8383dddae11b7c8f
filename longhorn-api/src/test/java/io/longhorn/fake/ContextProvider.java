package io.longhorn.fake;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.ProgressListener;
import io.longhorn.RestoringVolume;
import io.longhorn.Snapshot;
import io.longhorn.StandbyVolume;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.spi.BackupProvider;
import io.longhorn.spi.LonghornProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A provider that only a special class loader offers; says that it was reached by the text of an exception. */
public final class ContextProvider implements LonghornProvider, BackupProvider {

    @Override
    public Longhorn embedded(Path directory) {
        throw new UnsupportedOperationException("embedded " + directory);
    }

    @Override
    public Longhorn connect(LonghornConfig config) {
        throw new UnsupportedOperationException("connect " + config.registry());
    }

    @Override
    public BackupOperation start(Snapshot snapshot, BackupTarget target, BackupSpec spec) {
        throw new UnsupportedOperationException("start " + snapshot.name());
    }

    @Override
    public List<Backup> backups(Longhorn longhorn, BackupTarget target) {
        throw new UnsupportedOperationException("backups");
    }

    @Override
    public Optional<Backup> find(Longhorn longhorn, BackupTarget target, String volume, String backup) {
        throw new UnsupportedOperationException("find");
    }

    @Override
    public Volume restore(Longhorn longhorn, Backup backup, VolumeSpec spec, ProgressListener listener) {
        throw new UnsupportedOperationException("restore");
    }

    @Override
    public RestoringVolume openRestoring(Longhorn longhorn, Backup backup, VolumeSpec spec) {
        throw new UnsupportedOperationException("openRestoring");
    }

    @Override
    public StandbyVolume standby(
            Longhorn longhorn, VolumeSpec spec, BackupTarget target, String sourceVolume, Duration interval) {
        throw new UnsupportedOperationException("standby");
    }
}
