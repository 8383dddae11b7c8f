package io.longhorn.backup;

import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A lock for who reads only: nobody waits for it, and where it cannot be had, or is lost, the work goes on without. One thread. */
final class OptionalLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OptionalLock.class);

    private final String volume;
    private @Nullable StoreLock lock;

    private OptionalLock(String volume) {
        this.volume = volume;
    }

    /** A lock against deletions. */
    static OptionalLock announce(BackupStore store, String volume) {
        OptionalLock optional = new OptionalLock(volume);
        try {
            optional.lock = StoreLock.announce(store.objects(), volume, StoreLock.Kind.BACKUP_OR_RESTORE, store.time());
        } catch (IOException e) {
            optional.doWithout(e);
        }
        return optional;
    }

    /** To be called often. */
    void keep() {
        if (lock != null) {
            try {
                if (lock.settle()) {
                    lock.keep();
                }
            } catch (IOException | BackupTargetBusyException | BackupTargetException e) {
                doWithout(e);
            }
        }
    }

    private void doWithout(Exception cause) {
        LOG.info("read without a lock: volume={} cause={}", volume, cause.getMessage());
        close();
    }

    @Override
    public void close() {
        if (lock != null) {
            lock.close();
            lock = null;
        }
    }
}
