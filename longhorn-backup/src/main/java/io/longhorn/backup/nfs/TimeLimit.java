package io.longhorn.backup.nfs;

import java.io.InterruptedIOException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** A moment until which something is tried, with pauses that grow. For one thread. */
final class TimeLimit {
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long PAUSE_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

    private final long endNanos;
    private long pauseNanos = FIRST_PAUSE_NANOS;

    private TimeLimit(long endNanos) {
        this.endNanos = endNanos;
    }

    static TimeLimit in(long nanos) {
        return new TimeLimit(System.nanoTime() + nanos);
    }

    /** Zero when it is over. */
    long leftNanos() {
        return Math.max(0, endNanos - System.nanoTime());
    }

    boolean isOver() {
        return leftNanos() == 0;
    }

    /**
     * Waits before the next attempt: each time longer, up to 5 seconds, at random between half and all of it, so that clients which failed together do not come back together.
     *
     * @throws InterruptedIOException if the thread is interrupted, which it stays
     */
    void pause() throws InterruptedIOException {
        long nanos = pauseNanos / 2 + ThreadLocalRandom.current().nextLong(pauseNanos / 2);
        pauseNanos = Math.min(2 * pauseNanos, PAUSE_NANOS_MAX);
        try {
            TimeUnit.NANOSECONDS.sleep(Math.min(nanos, leftNanos()));
        } catch (InterruptedException e) {
            throw Interrupts.interrupted();
        }
    }
}
