package io.longhorn.replica.wire;

/**
 * One thread of events with a clock: the place where the state machines of engine and replica run. Production uses a
 * socket selector ({@code io.longhorn.replica.transport}), tests a seeded scheduler on virtual time.
 *
 * <p>Order within one turn of the loop: all input that is readable now, then tasks, then tasks given to
 * {@link #afterInput}, then timers that are due. A timer that judges silence therefore never runs before the
 * input that would have broken it.
 *
 * <p>Everything that a loop runs may assume that nothing else on this loop runs at the same time. No task may block on
 * another task of the same loop.
 */
public interface Loop {

    /** Runs {@code task} on this loop, later, in the order of the calls. Any thread. */
    void execute(Runnable task);

    /**
     * Like {@link #execute}, and if the loop has nothing to do and expects nothing, the calling thread may run the task, with what follows from it at once, before this returns: one
     * thread fewer is woken. Any thread; one that runs something of this loop gets {@link #execute}.
     */
    default void executePromptly(Runnable task) {
        execute(task);
    }

    /** Runs {@code task} at the end of the present turn, after all input of the turn was handled. Loop only. */
    void afterInput(Runnable task);

    /** Runs {@code task} once, no earlier than {@code delayNanos} from now. Loop only. */
    Timer schedule(long delayNanos, Runnable task);

    /**
     * Says that {@code change} more (or fewer) things are expected to come in for which no caller waits by running the loop. While there are any, input is
     * seen at once; a loop that callers run may otherwise look a little later. Loop only.
     */
    default void expectInput(int change) {}

    /** Monotonic time in nanoseconds, from an arbitrary origin. Any thread. */
    long nanoTime();

    /** Wall clock, milliseconds since 1970, which may jump. Any thread. */
    long wallMillis();

    /** A random number from this loop's source; repeatable in the simulator. Loop only. */
    long nextRandomLong();

    /** Whether the calling thread may touch state that belongs to this loop. */
    boolean inLoop();

    /** A scheduled task. */
    interface Timer {
        /** Drops the task unless it already ran. Loop only. */
        void cancel();
    }
}
