package io.longhorn.backup;

import java.time.Duration;
import java.time.Instant;

/** Time that passes only when somebody sleeps, or a test says so. */
final class TurnedTime implements StoreTime {
    /** Called while somebody sleeps, at the end of it. */
    volatile Runnable whileAsleep = () -> {};

    private Instant now = Instant.now();
    private long nanos;

    synchronized void pass(Duration duration) {
        now = now.plus(duration);
        nanos += duration.toNanos();
    }

    @Override
    public synchronized Instant now() {
        return now;
    }

    @Override
    public synchronized long nanoTime() {
        return nanos;
    }

    @Override
    public void sleep(Duration duration) throws InterruptedException {
        pass(duration);
        Runnable task = whileAsleep;
        whileAsleep = () -> {};
        task.run();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }
}
