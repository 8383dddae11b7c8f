package io.longhorn.app.bench;

import java.util.concurrent.Callable;

/**
 * Runs a load, unmeasured, until it gets no faster: a JVM compiles hot code on the cores that the load wants, on a small machine for longer than one run lasts, and what is
 * measured meanwhile is the compiler.
 */
final class Warmth {

    private static final int RUNS_MAX = 12;
    /** Runs that were hardly faster than the best before them, one after the other. */
    private static final int STEADY_RUNS = 2;

    private static final double HARDLY_FASTER = 1.05;

    private Warmth() {}

    /**
     * Runs it three times at least.
     *
     * @param load returns how fast it was, in any unit
     */
    static void reach(Callable<Double> load) throws Exception {
        double best = 0;
        int steady = 0;
        for (int run = 0; run < RUNS_MAX && steady < STEADY_RUNS; run++) {
            double rate = load.call();
            steady = rate > best * HARDLY_FASTER ? 0 : steady + 1;
            best = Math.max(best, rate);
        }
    }
}
