package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a loop has to run, apart from its sockets. {@link #addTask} and {@link #hasTasks} are for any thread, the rest is for who holds the loop. */
final class LoopWork {
    private static final Logger LOG = LoggerFactory.getLogger(LoopWork.class);

    /** Tasks run in one go before sockets are looked at again. */
    private static final int TASKS_PER_ROUND = 1024;
    /** Rounds of tasks, what waits for the end of the turn, and output, before sockets are looked at again. */
    private static final int ROUNDS_PER_TURN = 16;

    private final String loopName;
    private final Consumer<Throwable> uncaught;
    private final TaskQueue tasks = new TaskQueue();
    private final TimerHeap timers = new TimerHeap();
    private final ArrayDeque<Runnable> afterInput = new ArrayDeque<>();
    private final ArrayDeque<NioLoop.Output> outputs = new ArrayDeque<>();

    LoopWork(String loopName, Consumer<Throwable> uncaught) {
        this.loopName = loopName;
        this.uncaught = uncaught;
    }

    void addTask(Runnable task) {
        tasks.add(task);
    }

    boolean hasTasks() {
        return !tasks.isEmpty();
    }

    void addAfterInput(Runnable task) {
        afterInput.addLast(task);
    }

    void addOutput(NioLoop.Output output) {
        outputs.addLast(output);
    }

    Loop.Timer addTimer(long dueNanos, Runnable task) {
        return timers.add(dueNanos, task);
    }

    /** Whether something can be run at once; timers do not count. */
    boolean isWaiting() {
        return !tasks.isEmpty() || !afterInput.isEmpty() || !outputs.isEmpty();
    }

    /** Time from {@code now} until the first timer is due; the largest number if there is none. */
    long nanosUntilTimer(long now) {
        return timers.isEmpty() ? Long.MAX_VALUE : timers.firstDueNanos() - now;
    }

    /** Tasks, then what waits for the end of the turn, then output; again while they make each other work. */
    void runRounds() {
        for (int round = 0; round < ROUNDS_PER_TURN && isWaiting(); round++) {
            runTasks();
            for (int i = afterInput.size(); i > 0; i--) {
                run(afterInput.removeFirst());
            }
            for (int i = outputs.size(); i > 0; i--) {
                flush(outputs.removeFirst());
            }
        }
    }

    private void runTasks() {
        for (int i = 0; i < TASKS_PER_ROUND; i++) {
            Runnable task = tasks.poll();
            if (task == null) {
                return;
            }
            run(task);
        }
    }

    private void flush(NioLoop.Output output) {
        try {
            output.flushOutput();
        } catch (Throwable e) {
            report(e);
        }
    }

    /** Runs the timers that are due at {@code now} and were set before this call. */
    void runTimers(long now) {
        long createdBefore = timers.created();
        Runnable task;
        while ((task = timers.pollDue(now, createdBefore)) != null) {
            run(task);
        }
    }

    /** Runs something that the loop was given, and keeps what it throws away from the loop. */
    void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            report(e);
        }
    }

    void report(Throwable e) {
        LOG.error("a task of {} failed", loopName, e);
        try {
            uncaught.accept(e);
        } catch (Throwable second) {
            LOG.error("the handler for failed tasks of {} failed itself", loopName, second);
        }
    }
}
