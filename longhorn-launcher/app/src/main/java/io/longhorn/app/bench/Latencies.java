package io.longhorn.app.bench;

import org.HdrHistogram.Histogram;

/**
 * Durations of operations, and how long all of them took together. Used by one thread at a time.
 *
 * <p>A loop without pauses has no schedule that it could fall behind, so nothing is omitted as long as every operation is
 * recorded and the time between two of them is counted too: each duration begins at the end of the one before.
 */
final class Latencies {

    private static final long NANOS_MAX = 600_000_000_000L;
    private static final int DIGITS = 3;

    private final Histogram histogram = new Histogram(NANOS_MAX, DIGITS);

    void record(long nanos) {
        histogram.recordValue(Math.min(Math.max(nanos, 1), NANOS_MAX));
    }

    void add(Latencies other) {
        histogram.add(other.histogram);
    }

    long count() {
        return histogram.getTotalCount();
    }

    /**
     * Sums up.
     *
     * @param bytes of each operation
     * @param wallNanos what all of them took together
     * @param cpuNanos what the processes concerned spent on a processor; negative if that is not known
     */
    BenchFigures figures(int bytes, long wallNanos, long cpuNanos) {
        long count = count();
        double seconds = wallNanos / 1e9;
        return new BenchFigures(
                count / seconds,
                count * (double) bytes / seconds / 1e6,
                histogram.getMean() / 1e3,
                histogram.getValueAtPercentile(50) / 1e3,
                histogram.getValueAtPercentile(99) / 1e3,
                histogram.getValueAtPercentile(99.9) / 1e3,
                cpuNanos < 0 ? Double.NaN : cpuNanos / 1e3 / Math.max(1, count));
    }
}
