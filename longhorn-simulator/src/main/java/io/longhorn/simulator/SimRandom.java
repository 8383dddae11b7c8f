package io.longhorn.simulator;

/** The one source of chance of a simulated run: the same seed gives the same run. SplitMix64, because a run starts every few milliseconds. */
public final class SimRandom {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private long state;

    public SimRandom(long seed) {
        state = mix(seed + GOLDEN);
    }

    /** A good 64-bit hash of {@code z}. */
    public static long mix(long z) {
        long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }

    public long nextLong() {
        state += GOLDEN;
        return mix(state);
    }

    /** A number in [0, bound). */
    public int below(int bound) {
        return (int) Long.remainderUnsigned(nextLong(), bound);
    }

    /** A number in [0, bound). */
    public long below(long bound) {
        return Long.remainderUnsigned(nextLong(), bound);
    }

    /** A number in [low, high]. */
    public long between(long low, long high) {
        return low + below(high - low + 1);
    }

    /** A number in [low, high]. */
    public int between(int low, int high) {
        return low + below(high - low + 1);
    }

    /** True in one of {@code n} cases on average; never for 0. */
    public boolean oneIn(int n) {
        return n > 0 && below(n) == 0;
    }

    /** True with a probability of {@code permille} thousandths. */
    public boolean permille(int permille) {
        return permille > 0 && below(1000) < permille;
    }

    public boolean coin() {
        return nextLong() < 0;
    }

    /** A source of its own, derived from this one. */
    public SimRandom split() {
        return new SimRandom(nextLong());
    }
}
