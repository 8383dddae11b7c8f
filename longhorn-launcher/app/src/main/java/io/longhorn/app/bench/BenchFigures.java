package io.longhorn.app.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What one run of one load gave.
 *
 * @param iops operations per second
 * @param megabytesPerSecond in units of 1,000,000 bytes
 * @param meanMicros mean latency
 * @param p50Micros half of the operations were at least as fast
 * @param p99Micros 99 % were
 * @param p999Micros 99.9 % were
 * @param cpuMicros processor time of all processes per operation; NaN if not known
 */
record BenchFigures(
        double iops,
        double megabytesPerSecond,
        double meanMicros,
        double p50Micros,
        double p99Micros,
        double p999Micros,
        double cpuMicros) {

    /** The median of each figure on its own. */
    static BenchFigures median(List<BenchFigures> runs) {
        return new BenchFigures(
                median(runs, BenchFigures::iops),
                median(runs, BenchFigures::megabytesPerSecond),
                median(runs, BenchFigures::meanMicros),
                median(runs, BenchFigures::p50Micros),
                median(runs, BenchFigures::p99Micros),
                median(runs, BenchFigures::p999Micros),
                median(runs, BenchFigures::cpuMicros));
    }

    static double min(List<BenchFigures> runs) {
        return runs.stream().mapToDouble(BenchFigures::iops).min().orElse(Double.NaN);
    }

    static double max(List<BenchFigures> runs) {
        return runs.stream().mapToDouble(BenchFigures::iops).max().orElse(Double.NaN);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("iops", iops);
        json.put("megabytesPerSecond", megabytesPerSecond);
        json.put("meanMicros", meanMicros);
        json.put("p50Micros", p50Micros);
        json.put("p99Micros", p99Micros);
        json.put("p999Micros", p999Micros);
        json.put("cpuMicrosPerOperation", cpuMicros);
        return json;
    }

    private static double median(List<BenchFigures> runs, ToDoubleFunction<BenchFigures> figure) {
        return Median.of(runs.stream().mapToDouble(figure));
    }
}
