package io.longhorn.backup;

import java.time.Duration;
import java.time.Instant;

/** The time that a store's locks and documents go by. Safe for any thread. */
interface StoreTime {

    /** The real one. */
    StoreTime SYSTEM = new StoreTime() {
        @Override
        public Instant now() {
            return Instant.now();
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void sleep(Duration duration) throws InterruptedException {
            Thread.sleep(duration.toMillis());
        }
    };

    Instant now();

    /** Only for differences. */
    long nanoTime();

    void sleep(Duration duration) throws InterruptedException;
}
