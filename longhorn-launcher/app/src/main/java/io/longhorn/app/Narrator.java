package io.longhorn.app;

import java.util.Locale;

/** Tells the story of the demo: chapters, and facts with the time since the start. */
final class Narrator {

    private static final double MEGABYTE = 1e6;

    private final Console console;
    private final long beginNanos = System.nanoTime();
    private int chapters;

    Narrator(Console console) {
        this.console = console;
    }

    void chapter(String title) {
        chapters++;
        console.line("");
        console.line(chapters + ". " + title);
    }

    @SuppressWarnings("AnnotateFormatMethod") // The annotation would be one more dependency.
    void fact(String format, Object... figures) {
        console.line(String.format(Locale.ROOT, "   %6.1f s  ", seconds(System.nanoTime() - beginNanos))
                + String.format(Locale.ROOT, format, figures));
    }

    double elapsedSeconds() {
        return seconds(System.nanoTime() - beginNanos);
    }

    static double seconds(long nanos) {
        return nanos / 1e9;
    }

    static double millis(long nanos) {
        return nanos / 1e6;
    }

    /** In units of 1,000,000 bytes. */
    static double megabytes(long bytes) {
        return bytes / MEGABYTE;
    }
}
