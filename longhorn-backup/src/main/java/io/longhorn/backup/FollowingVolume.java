package io.longhorn.backup;

import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.StandbyVolume;
import io.longhorn.Volume;
import io.longhorn.VolumeHealth;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A standby volume and the thread that looks for new backups. */
final class FollowingVolume implements StandbyVolume {
    private static final Logger LOG = LoggerFactory.getLogger(FollowingVolume.class);

    private final Longhorn longhorn;
    private final Volume volume;
    private final BackupTarget target;
    private final Supplier<BackupStore> stores;
    private final StandbySync sync;
    private final StandbyProgress progress;
    private final Duration interval;
    private final Thread following;

    /** Held by whoever takes over a backup or ends that. */
    private final ReentrantLock working = new ReentrantLock();

    private final Condition ended = working.newCondition();
    private volatile boolean over;

    FollowingVolume(
            Longhorn longhorn,
            Volume volume,
            BackupTarget target,
            Supplier<BackupStore> stores,
            StandbySync sync,
            StandbyProgress progress,
            Duration interval) {
        this.longhorn = longhorn;
        this.volume = volume;
        this.target = target;
        this.stores = stores;
        this.sync = sync;
        this.progress = progress;
        this.interval = interval;
        this.following = new Thread(this::follow, "longhorn-standby-" + volume.name());
        following.setDaemon(true);
    }

    void start() {
        following.start();
    }

    private void follow() {
        try {
            while (!over) {
                try {
                    synchronize();
                } catch (RuntimeException e) {
                    LOG.warn("standby volume {} tries again later: {}", volume.name(), e.getMessage());
                }
                pause();
            }
        } catch (InterruptedException e) {
            LOG.debug("standby volume {} follows no more", volume.name(), e);
        }
    }

    private void pause() throws InterruptedException {
        working.lockInterruptibly();
        try {
            long left = interval.toNanos();
            while (!over && left > 0) {
                left = ended.awaitNanos(left);
            }
        } finally {
            working.unlock();
        }
    }

    @Override
    public void synchronize() throws InterruptedException {
        working.lockInterruptibly();
        try {
            requireFollowing();
            try (BackupStore store = stores.get()) {
                sync.run(store);
                progress.looked(store.time().now());
            }
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            RuntimeException reason = Failures.of(e, target.uri().toString());
            progress.failed(String.valueOf(reason.getMessage()));
            throw reason;
        } finally {
            working.unlock();
        }
    }

    private void requireFollowing() {
        if (over) {
            throw new IllegalStateException("standby volume " + volume.name() + " was activated or closed");
        }
    }

    @Override
    public Volume activate() throws InterruptedException {
        working.lockInterruptibly();
        try {
            synchronize();
            return activated();
        } finally {
            working.unlock();
        }
    }

    @Override
    public Volume activateNow() {
        requireFollowing();
        // Whoever takes over a backup at the moment is the follower, or a caller of ours who waits for a target that
        // may never answer.
        following.interrupt();
        working.lock();
        try {
            requireFollowing();
            return activated();
        } finally {
            working.unlock();
        }
    }

    private Volume activated() {
        sync.activate();
        end();
        return longhorn.open(volume.name());
    }

    private void end() {
        over = true;
        following.interrupt();
        ended.signalAll();
    }

    @Override
    public void close() {
        following.interrupt();
        working.lock();
        try {
            if (over) {
                return;
            }
            end();
        } finally {
            working.unlock();
        }
        volume.close();
    }

    @Override
    public String name() {
        return volume.name();
    }

    @Override
    public String sourceVolume() {
        return sync.source().volume();
    }

    @Override
    public BackupTarget target() {
        return target;
    }

    @Override
    public Status status() {
        return progress.now();
    }

    @Override
    public VolumeHealth health() {
        return volume.health();
    }

    @Override
    public long sizeBytes() {
        return volume.sizeBytes();
    }
}
