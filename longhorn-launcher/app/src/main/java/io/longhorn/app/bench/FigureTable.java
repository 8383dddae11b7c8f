package io.longhorn.app.bench;

import io.longhorn.app.Console;
import java.util.Locale;

/** Prints the figures of a {@link Measurement} as a table of plain text. */
final class FigureTable {

    private FigureTable() {}

    static void print(Console console, Measurement measurement) {
        // Figures may be negative, so their spread is "to", not a dash.
        String header = line(measurement.title(), "unit", "median", "min-max", "target");
        console.line("");
        console.line(header);
        console.line("-".repeat(header.length()));
        for (Figure figure : measurement.figures()) {
            console.line(
                    figure.isEmpty()
                            ? line(figure.title(), figure.unit(), "n/a", "", figure.target())
                            : line(
                                    figure.title(),
                                    figure.unit(),
                                    number(figure.median()),
                                    number(figure.min()) + " to " + number(figure.max()),
                                    figure.target()));
        }
    }

    private static String line(String title, String unit, String median, String spread, String target) {
        return String.format(Locale.ROOT, "%-62s %-8s %10s  %-21s  %s", title, unit, median, spread, target)
                .stripTrailing();
    }

    /** Three digits that say something. */
    private static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f", value);
    }
}
