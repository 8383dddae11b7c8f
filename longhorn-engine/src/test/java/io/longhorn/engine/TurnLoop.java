package io.longhorn.engine;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** A loop on virtual time that a test turns by hand: tasks first, then what is due next. */
final class TurnLoop implements Loop {
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final PriorityQueue<Due> timers = new PriorityQueue<>();
    private final SplittableRandom random = new SplittableRandom(1);
    private long nanos = 1_000_000_000L;
    private long order;

    private static final class Due implements Timer, Comparable<Due> {
        final long at;
        final long order;
        final Runnable task;
        boolean cancelled;

        Due(long at, long order, Runnable task) {
            this.at = at;
            this.order = order;
            this.task = task;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public int compareTo(Due other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    /** Runs everything that is due now. */
    void settle() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }

    /** Lets time pass, event by event. */
    void pass(long duration) {
        long end = nanos + duration;
        settle();
        Due due;
        while ((due = timers.peek()) != null && due.at <= end) {
            timers.remove();
            nanos = Math.max(nanos, due.at);
            if (!due.cancelled) {
                due.task.run();
            }
            settle();
        }
        nanos = end;
    }

    /** Lets time pass until the condition holds, at most so long. */
    void until(BooleanSupplier condition, long atMost) {
        long end = nanos + atMost;
        settle();
        while (!condition.getAsBoolean()) {
            Due due = timers.poll();
            if (due == null || due.at > end) {
                throw new AssertionError("condition does not hold after " + atMost / 1_000_000 + " ms");
            }
            nanos = Math.max(nanos, due.at);
            if (!due.cancelled) {
                due.task.run();
            }
            settle();
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
        Due due = new Due(nanos + delayNanos, order++, task);
        timers.add(due);
        return due;
    }

    @Override
    public long nanoTime() {
        return nanos;
    }

    @Override
    public long wallMillis() {
        return nanos / 1_000_000;
    }

    @Override
    public long nextRandomLong() {
        return random.nextLong();
    }

    @Override
    public boolean inLoop() {
        return true;
    }
}
