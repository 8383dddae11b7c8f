package io.longhorn.simulator;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * A loop on virtual time. One turn handles all input that has arrived, then tasks, then tasks given to {@link #afterInput}, then timers that
 * are due; what a turn gives rise to happens in a later turn. A loop whose process was paused therefore sees the input of the pause
 * before any timer.
 */
public final class SimLoop implements Loop {
    /** A loop notices input, a task or a timer this much later at most when it is not busy. */
    private static final long LATENCY_NANOS_MAX = 20_000;

    private final SimProcess process;
    private final String name;
    private final SimScheduler scheduler;
    private final ArrayDeque<Runnable> inputs = new ArrayDeque<>();
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final ArrayDeque<Runnable> afterInput = new ArrayDeque<>();
    private final PriorityQueue<Entry> timers = new PriorityQueue<>();
    private SimScheduler.@Nullable Event turn;
    private long order;
    private long busyUntil;
    private long busyNanos;
    private boolean running;

    SimLoop(SimProcess process, String name) {
        this.process = process;
        this.name = name;
        this.scheduler = process.scheduler();
    }

    public SimProcess process() {
        return process;
    }

    public String name() {
        return name;
    }

    @Override
    public void execute(Runnable task) {
        tasks.addLast(task);
        wakeSoon();
    }

    @Override
    public void afterInput(Runnable task) {
        afterInput.addLast(task);
        wakeSoon();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Entry entry = new Entry(nanoTime() + Math.max(delayNanos, 0), order++, task);
        timers.add(entry);
        wakeForTimers();
        return entry;
    }

    @Override
    public long nanoTime() {
        return process.host().nanoTime() + busyNanos;
    }

    @Override
    public long wallMillis() {
        return process.host().wallMillis() + busyNanos / 1_000_000;
    }

    @Override
    public long nextRandomLong() {
        return scheduler.random().nextLong();
    }

    @Override
    public boolean inLoop() {
        return running;
    }

    /** Something arrived from outside; {@code handler} takes it in the next turn. */
    void input(Runnable handler) {
        inputs.addLast(handler);
        wakeSoon();
    }

    /** The present turn takes {@code nanos} longer: it waited for a disk, or computed. What it sends leaves that much later. */
    void busy(long nanos) {
        if (running) {
            busyNanos += nanos;
        }
    }

    /** How long the present turn has taken so far. */
    long busyNanos() {
        return busyNanos;
    }

    private void wakeSoon() {
        if (!running) {
            wake(Math.max(scheduler.now() + scheduler.random().below(LATENCY_NANOS_MAX), busyUntil));
        }
    }

    private void wakeForTimers() {
        Entry next = timers.peek();
        if (next != null && !running) {
            long due = process.host().whenMonotonic(next.deadline);
            wake(Math.max(
                    Math.max(due, scheduler.now()) + scheduler.random().below(LATENCY_NANOS_MAX) + 1000, busyUntil));
        }
    }

    private void wake(long time) {
        SimScheduler.Event planned = turn;
        if (planned != null) {
            if (planned.time() <= time) {
                return;
            }
            planned.cancel();
        }
        turn = scheduler.at(time, this::turn);
    }

    private void turn() {
        turn = null;
        if (!process.isAlive()) {
            return;
        }
        if (scheduler.now() < process.pausedUntil()) {
            wake(process.pausedUntil());
            return;
        }
        running = true;
        busyNanos = 0;
        try {
            process.guarded(this::phases);
        } finally {
            running = false;
            busyUntil = scheduler.now() + busyNanos;
            busyNanos = 0;
        }
        if (process.isAlive()) {
            if (!inputs.isEmpty() || !tasks.isEmpty() || !afterInput.isEmpty()) {
                wakeSoon();
            }
            wakeForTimers();
        }
    }

    private void phases() {
        drain(inputs, inputs.size());
        drain(tasks, tasks.size());
        drain(afterInput, Integer.MAX_VALUE);
        long now = nanoTime();
        long before = order;
        for (Entry next = timers.peek();
                next != null && next.deadline <= now && next.order < before;
                next = timers.peek()) {
            timers.poll();
            if (!next.cancelled) {
                next.task.run();
            }
        }
    }

    private static void drain(ArrayDeque<Runnable> queue, int atMost) {
        for (int i = 0; i < atMost; i++) {
            Runnable next = queue.pollFirst();
            if (next == null) {
                return;
            }
            next.run();
        }
    }

    private static final class Entry implements Timer, Comparable<Entry> {
        private final long deadline;
        private final long order;
        private final Runnable task;
        private boolean cancelled;

        Entry(long deadline, long order, Runnable task) {
            this.deadline = deadline;
            this.order = order;
            this.task = task;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public int compareTo(Entry other) {
            int byTime = Long.compare(deadline, other.deadline);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }
}
