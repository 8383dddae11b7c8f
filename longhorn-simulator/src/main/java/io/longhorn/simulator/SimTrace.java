package io.longhorn.simulator;

import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The last events of a run, kept cheaply and put into words only when a run fails, and a hash over all events: two runs of a
 * seed that differ in it differed somewhere. One thread.
 */
public final class SimTrace {
    private final long[] times;
    private final String[] actors;
    private final String[] whats;
    private final long[] firsts;
    private final long[] seconds;
    private final int mask;
    private long count;
    private long hash;
    private @Nullable Consumer<String> echo;

    /** Keeps the last {@code kept} events, rounded up to a power of two. */
    public SimTrace(int kept) {
        int size = Integer.highestOneBit(Math.max(kept, 2) * 2 - 1);
        times = new long[size];
        actors = new String[size];
        whats = new String[size];
        firsts = new long[size];
        seconds = new long[size];
        mask = size - 1;
    }

    /** Passes every event on in words as it happens, so that a replay's log messages stand between them. */
    public void echo(Consumer<String> lines) {
        echo = lines;
    }

    /** Notes an event. The strings should be constants; the numbers' meaning follows from {@code what}. */
    public void add(long time, String actor, String what, long first, long second) {
        int i = (int) count & mask;
        times[i] = time;
        actors[i] = actor;
        whats[i] = what;
        firsts[i] = first;
        seconds[i] = second;
        count++;
        Consumer<String> lines = echo;
        if (lines != null) {
            lines.accept(line(i));
        }
        hash = (hash ^ time) * 0x100000001B3L;
        hash = (hash ^ actor.hashCode()) * 0x100000001B3L;
        hash = (hash ^ what.hashCode()) * 0x100000001B3L;
        hash = (hash ^ first ^ Long.rotateLeft(second, 32)) * 0x100000001B3L;
    }

    /** Events so far. */
    public long count() {
        return count;
    }

    /** Fingerprint of all events so far. */
    public long hash() {
        return hash;
    }

    /** The last {@code lines} events, one a line: milliseconds, actor, event, numbers. */
    public String last(int lines) {
        StringBuilder out = new StringBuilder();
        long from = Math.max(0, count - Math.min(lines, times.length));
        for (long n = from; n < count; n++) {
            out.append(line((int) n & mask)).append('\n');
        }
        return out.toString();
    }

    private String line(int i) {
        return String.format(
                Locale.ROOT, "%12.6f ms  %-12s %s %d %d", times[i] / 1e6, actors[i], whats[i], firsts[i], seconds[i]);
    }
}
