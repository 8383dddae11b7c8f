package io.longhorn.backup;

import io.longhorn.BackupOperation;
import java.util.concurrent.atomic.AtomicLong;

/** How far a backup is. Safe for any thread. */
final class BackupProgress {
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong sent = new AtomicLong();
    private volatile long total;

    void total(long bytes) {
        total = bytes;
    }

    void done(long bytes) {
        done.addAndGet(bytes);
    }

    void sent(long bytes) {
        sent.addAndGet(bytes);
    }

    BackupOperation.Progress now() {
        return new BackupOperation.Progress(done.get(), total, sent.get());
    }
}
