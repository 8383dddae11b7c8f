package io.longhorn.backup;

import io.longhorn.Backup;
import io.longhorn.ProgressListener;
import io.longhorn.Volume;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeSpec;
import io.longhorn.spi.VolumeFilling;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Restores a backup into a volume, several blocks at once. Begun again after it ended anywhere, it fetches only what is missing. Used once. */
final class RestoreRun {
    static final int WORKERS = 4;

    private final VolumeFilling filling;
    private final BackupStore store;
    private final BackupConfig config;
    private final VolumeSource source;
    private final long sizeBytes;

    /** @throws io.longhorn.BackupInProgressException if it is not complete */
    RestoreRun(VolumeFilling filling, BackupStore store, Backup backup) {
        this.filling = filling;
        this.store = store;
        this.config = store.completeBackup(backup.volume(), backup.name());
        this.source = VolumeSource.restore(backup.target().uri(), backup.volume(), backup.name());
        this.sizeBytes = store.volumeBytes(config);
    }

    /** A new volume, or the one that an earlier restore of this backup left. */
    Volume open(VolumeSpec spec) {
        long size = spec.sizeBytes().orElse(pages(sizeBytes));
        if (size < sizeBytes) {
            throw new IllegalArgumentException("backup " + config.name() + " of volume " + config.volumeName()
                    + " needs a volume of at least " + sizeBytes + " bytes, not " + size);
        }
        try {
            return filling.createFilling(spec.withSize(size), source.text());
        } catch (VolumeExistsException e) {
            if (filling.source(spec.name()).equals(Optional.of(source.text()))) {
                return filling.openFilling(spec.name());
            }
            throw e;
        }
    }

    /** A volume consists of whole pages, one at least. */
    static long pages(long bytes) {
        long pages = (bytes + Volume.BLOCK_BYTES - 1) / Volume.BLOCK_BYTES;
        return Math.max(1, pages) * Volume.BLOCK_BYTES;
    }

    BlockRestore blocks(Volume volume) {
        return new BlockRestore(store, config, volume, sizeBytes);
    }

    BackupConfig config() {
        return config;
    }

    StoreLock lock() throws Exception {
        return StoreLock.acquire(store.objects(), config.volumeName(), StoreLock.Kind.BACKUP_OR_RESTORE, store.time());
    }

    /** Puts all of it into the volume, and calls that complete. */
    void run(Volume volume, ProgressListener listener) throws Exception {
        long total = config.blocks().size() * (long) config.blockBytes();
        AtomicLong done = new AtomicLong();
        BlockRestore restore = blocks(volume);
        try (StoreLock lock = lock()) {
            // A deletion may have been quicker than the lock.
            store.completeBackup(config.volumeName(), config.name());
            Iterator<BlockReference> blocks = config.blocks().iterator();
            Workers.run(
                    "longhorn-restore-" + volume.name(),
                    WORKERS,
                    () -> () -> {
                        BlockReference next = next(blocks);
                        if (next == null) {
                            return false;
                        }
                        restore.fill(next);
                        done.addAndGet(config.blockBytes());
                        return true;
                    },
                    () -> {
                        lock.keep();
                        listener.progress(done.get(), total);
                    });
        }
        volume.flush();
        complete(volume);
        listener.progress(total, total);
    }

    void complete(Volume volume) {
        filling.source(volume, Optional.empty());
    }

    private static @Nullable BlockReference next(Iterator<BlockReference> blocks) {
        synchronized (blocks) {
            return blocks.hasNext() ? blocks.next() : null;
        }
    }
}
