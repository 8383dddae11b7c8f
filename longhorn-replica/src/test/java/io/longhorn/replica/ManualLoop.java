package io.longhorn.replica;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;

/** A loop whose time and turns are the test's. */
final class ManualLoop implements Loop {
    private record Entry(long deadline, long order, Runnable task) {}

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final PriorityQueue<Entry> timers =
            new PriorityQueue<>(Comparator.comparingLong(Entry::deadline).thenComparingLong(Entry::order));
    private long now = 1;
    private long order;
    private long random = 42;

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public void afterInput(Runnable task) {
        tasks.add(task);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Entry entry = new Entry(now + Math.max(0, delayNanos), order++, task);
        timers.add(entry);
        return () -> timers.remove(entry);
    }

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public long wallMillis() {
        return now / 1_000_000;
    }

    @Override
    public long nextRandomLong() {
        random = random * 6364136223846793005L + 1442695040888963407L;
        return random;
    }

    @Override
    public boolean inLoop() {
        return true;
    }

    /** Runs what waits, or a timer that is due; false if nothing did. */
    boolean turn() {
        Runnable task = tasks.poll();
        if (task == null) {
            Entry due = timers.peek();
            return due != null && due.deadline() <= now && nextTimer(now);
        }
        task.run();
        return true;
    }

    /** Timers armed. */
    int timers() {
        return timers.size();
    }

    /** Time goes on to the next timer, if that is due by {@code deadline}, and runs it; else to the deadline. */
    boolean nextTimer(long deadline) {
        Entry next = timers.peek();
        if (next == null || next.deadline() > deadline) {
            now = Math.max(now, deadline);
            return false;
        }
        timers.remove();
        now = Math.max(now, next.deadline());
        next.task().run();
        return true;
    }
}
