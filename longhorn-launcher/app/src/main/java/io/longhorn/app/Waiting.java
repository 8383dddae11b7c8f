package io.longhorn.app;

import java.time.Duration;

/** Waits for something that nobody tells us about, by looking again and again. */
public final class Waiting {

    private static final long PAUSE_MILLIS = 20;

    /** What is looked at; may fail like the commands themselves. */
    @FunctionalInterface
    public interface Condition {
        boolean holds() throws Exception;
    }

    private Waiting() {}

    /** Whether it came to hold within the limit. */
    public static boolean until(Duration limit, Condition condition) throws Exception {
        long begin = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - begin > limit.toNanos()) {
                return false;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return true;
    }
}
