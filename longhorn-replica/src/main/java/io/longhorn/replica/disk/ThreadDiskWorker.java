package io.longhorn.replica.disk;

import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A disk's worker with one thread per lane, {@code longhorn-<lane>-<disk>}, started by the first work and ended when there was none for a
 * while, so that an idle disk has no threads. They are daemons and cannot be interrupted; {@link #close} lets them finish and waits.
 */
public final class ThreadDiskWorker implements DiskWorker, AutoCloseable {
    /** Works waiting in one lane. A disk's state machine has a handful under way; more means that it lost count. */
    public static final int QUEUE_MAX = 4096;
    /** Time without work after which a lane's thread ends: long enough for a busy disk to keep its threads. */
    public static final long IDLE_MILLIS = 10_000;

    private final Loop loop;
    private final String diskName;
    private final long idleNanos;
    private final Map<Lane, LaneThread> lanes = new EnumMap<>(Lane.class);

    /**
     * @param loop where outcomes are told
     * @param diskName for the names of threads
     */
    public ThreadDiskWorker(Loop loop, String diskName) {
        this(loop, diskName, IDLE_MILLIS);
    }

    ThreadDiskWorker(Loop loop, String diskName, long idleMillis) {
        this.loop = loop;
        this.diskName = diskName;
        idleNanos = TimeUnit.MILLISECONDS.toNanos(idleMillis);
        for (Lane lane : Lane.values()) {
            lanes.put(lane, new LaneThread(lane));
        }
    }

    /** @throws IllegalStateException if this is closed, or {@link #QUEUE_MAX} works wait in the lane */
    @Override
    public void run(Lane lane, Work work, Outcome outcome) {
        LaneThread thread = lanes.get(lane);
        if (thread == null) {
            throw new IllegalStateException("no lane " + lane);
        }
        thread.add(new Task(work, outcome));
    }

    /**
     * Takes no more work, waits until all that was given has run, and until the threads take no more. The last outcomes still go to the loop. Not
     * to be called by the work of a lane.
     */
    @Override
    public void close() {
        lanes.values().forEach(LaneThread::stop);
        lanes.values().forEach(LaneThread::join);
    }

    private record Task(Work work, Outcome outcome) {}

    private final class LaneThread {
        private final Lane lane;
        private final Lock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        /** Guarded by the lock, as the rest. */
        private final Queue<Task> queue = new ArrayDeque<>();

        private @Nullable Thread thread;
        private boolean stopped;

        LaneThread(Lane lane) {
            this.lane = lane;
        }

        void add(Task task) {
            lock.lock();
            try {
                if (stopped) {
                    throw new IllegalStateException("the worker of disk " + diskName + " is closed");
                }
                if (queue.size() >= QUEUE_MAX) {
                    throw new IllegalStateException(QUEUE_MAX + " works wait in lane " + lane + " of disk " + diskName);
                }
                queue.add(task);
                changed.signalAll();
                if (thread == null) {
                    thread = new DiskThread(this::work, "longhorn-" + laneName() + "-" + diskName);
                    thread.start();
                }
            } finally {
                lock.unlock();
            }
        }

        private String laneName() {
            return switch (lane) {
                case JOURNAL_SYNC -> "sync";
                case CHECKPOINT -> "checkpoint";
                case BACKGROUND -> "background";
            };
        }

        private void work() {
            for (Task task = next(); task != null; task = next()) {
                IOException failure = failureOf(task.work());
                Outcome outcome = task.outcome();
                loop.execute(() -> outcome.done(failure));
            }
        }

        private @Nullable IOException failureOf(Work work) {
            try {
                work.run();
                return null;
            } catch (IOException e) {
                return e;
            } catch (RuntimeException | Error e) {
                return new IOException("disk work failed: " + e, e);
            }
        }

        /** The next task, or null when the thread shall end; from then on it counts as ended. */
        private @Nullable Task next() {
            lock.lock();
            try {
                long leftNanos = idleNanos;
                while (queue.isEmpty()) {
                    if (stopped || leftNanos <= 0) {
                        thread = null;
                        changed.signalAll();
                        return null;
                    }
                    leftNanos = changed.awaitNanos(leftNanos);
                }
                return queue.remove();
            } catch (InterruptedException e) {
                throw new IllegalStateException("a disk thread was interrupted", e);
            } finally {
                lock.unlock();
            }
        }

        void stop() {
            lock.lock();
            try {
                stopped = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        void join() {
            lock.lock();
            try {
                while (thread != null) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
