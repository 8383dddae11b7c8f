package io.longhorn.benchmarks;

import io.longhorn.replica.wire.Loop;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;

/** A loop on real time that a benchmark turns by hand, on its own thread. A turn without tasks and due timers allocates nothing. */
public final class TurnedLoop implements Loop {
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final PriorityQueue<Due> timers = new PriorityQueue<>();

    private record Due(long nanos, Runnable task) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            return Long.compare(nanos, other.nanos);
        }
    }

    /** Runs the tasks that wait, and the timers that are due. */
    public void turn() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
        Due next;
        while ((next = timers.peek()) != null && next.nanos() <= nanoTime()) {
            timers.remove();
            next.task().run();
        }
    }

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
        Due due = new Due(nanoTime() + delayNanos, task);
        timers.add(due);
        return () -> timers.remove(due);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long wallMillis() {
        return System.currentTimeMillis();
    }

    @Override
    public long nextRandomLong() {
        return ThreadLocalRandom.current().nextLong();
    }

    @Override
    public boolean inLoop() {
        return true;
    }
}
