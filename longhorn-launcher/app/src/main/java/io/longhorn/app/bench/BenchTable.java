package io.longhorn.app.bench;

import io.longhorn.app.Console;
import java.util.List;
import java.util.Locale;

/** Prints rows as a table of plain text. */
final class BenchTable {

    private static final String HEADER = String.format(
            "%-46s %9s %8s %9s %9s %9s %9s %8s  %s",
            "median of the runs", "IOPS", "MB/s", "mean us", "p50 us", "p99 us", "p99.9 us", "CPU us", "IOPS min-max");

    private BenchTable() {}

    static void print(Console console, List<BenchRow> rows) {
        console.line(HEADER);
        console.line("-".repeat(HEADER.length()));
        boolean baseline = false;
        for (BenchRow row : rows) {
            if (row.isBaseline() && !baseline) {
                console.line("");
            }
            baseline = row.isBaseline();
            console.line(row.isEmpty() ? String.format("%-46s %9s", row.title(), "n/a") : line(row));
        }
    }

    private static String line(BenchRow row) {
        BenchFigures f = row.median();
        return String.format(
                Locale.ROOT,
                "%-46s %,9.0f %8.1f %9.1f %9.1f %9.1f %9.1f %8s  %,.0f-%,.0f",
                row.title(),
                f.iops(),
                f.megabytesPerSecond(),
                f.meanMicros(),
                f.p50Micros(),
                f.p99Micros(),
                f.p999Micros(),
                Double.isNaN(f.cpuMicros()) ? "-" : String.format(Locale.ROOT, "%.1f", f.cpuMicros()),
                row.iopsMin(),
                row.iopsMax());
    }
}
