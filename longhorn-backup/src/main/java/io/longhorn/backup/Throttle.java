package io.longhorn.backup;

import java.util.concurrent.TimeUnit;

/** Keeps several threads together below a number of bytes per second, which can change while they wait. Safe for any thread. */
final class Throttle {
    private static final long SECOND = 1_000_000_000;

    private long bytesPerSecond;
    /** When what was let through so far is paid for. */
    private long paidNanos;

    /** @param bytesPerSecond 0 for no limit */
    Throttle(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
        this.paidNanos = System.nanoTime();
    }

    /** At once, also for those who wait. */
    synchronized void limit(long perSecond) {
        if (perSecond < 0) {
            throw new IllegalArgumentException("bytesPerSecond must not be negative, was " + perSecond);
        }
        long now = System.nanoTime();
        long debt = paidNanos - now;
        if (debt > 0 && bytesPerSecond > 0 && perSecond > 0) {
            paidNanos = now + (long) ((double) debt * bytesPerSecond / perSecond);
        } else if (debt > 0) {
            paidNanos = now;
        }
        bytesPerSecond = perSecond;
        notifyAll();
    }

    /** Waits until so many bytes may go. More than a second's worth goes at once, and is waited for afterwards by whoever comes next. */
    synchronized void acquire(long bytes) throws InterruptedException {
        while (bytesPerSecond > 0) {
            long wait = paidNanos - System.nanoTime();
            if (wait <= 0) {
                break;
            }
            TimeUnit.NANOSECONDS.timedWait(this, wait);
        }
        paidNanos = after(paidNanos, System.nanoTime(), bytes, bytesPerSecond);
    }

    /** What nobody used is not saved up. */
    static long after(long paidNanos, long now, long bytes, long bytesPerSecond) {
        long from = paidNanos - now > 0 ? paidNanos : now;
        return bytesPerSecond == 0 ? now : from + (long) ((double) bytes * SECOND / bytesPerSecond);
    }
}
