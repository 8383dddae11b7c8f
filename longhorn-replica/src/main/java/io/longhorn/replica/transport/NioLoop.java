package io.longhorn.replica.transport;

import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loop on a thread of its own with a socket selector. It sleeps while there is nothing to do; giving it a task costs a system
 * call only when it sleeps.
 *
 * <p>A caller that is going to wait for an answer can save the two hand-overs to this thread and back, which cost more than a small
 * write to a replica:
 *
 * <pre>{@code
 * if (loop.tryEnter()) {
 *     submit(operation);            // on this thread, inLoop() is true
 * } else {
 *     loop.execute(() -> submit(operation));
 * }
 * loop.awaitLeading(operation::isDone, deadlineNanos);
 * }</pre>
 *
 * where whoever completes the operation, on the loop, calls {@link #unblock} with the caller's thread after {@code isDone} has become true. Such a caller
 * runs whatever the loop has to do meanwhile. {@link LoopBaton} says how this is kept correct. Everything that is documented as "loop
 * only" is for the thread for which {@link #inLoop} is true, whichever that is.
 */
public final class NioLoop implements Loop, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NioLoop.class);

    /** A hundred years, so that times can be compared by their difference. */
    private static final long DELAY_NANOS_MAX = 100L * 365 * 86_400 * 1_000_000_000L;

    /** How long {@link #close} waits for the thread. */
    private static final long CLOSE_SECONDS = 10;

    private final Thread thread;
    private final LoopSockets sockets;
    private final LoopBaton baton;
    private final LoopWork work;
    /** Whether callers may run what the loop has to do. */
    private final boolean lendsItself;

    private final CountDownLatch ended = new CountDownLatch(1);

    private final Set<Member> members = new LinkedHashSet<>();
    private final FramePool pool = new FramePool();
    private final SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());

    private final LoopBuffers buffers = new LoopBuffers();

    /** Set between {@link #tryEnter} and the end of that inline work. */
    private boolean entered;
    /** Handlers and tasks are running, so nobody may leave or lead. */
    private boolean running;
    /** The thread that entered had been interrupted before. */
    private boolean interruptedBefore;
    /** The driver sleeps until then, or somebody comes back by himself until then. */
    private long sleepsUntilNanos;
    /** See {@link #expectInput}. */
    private int expectedInputs;

    /** What the present leader waits for; null while the loop's own thread drives. Driver only. */
    private @Nullable BooleanSupplier leaderDone;

    private long leaderDeadlineNanos;
    /** The driver was interrupted. Driver only. */
    private boolean interrupted;

    private volatile boolean closing;
    /** Nothing runs any more, and nothing is accepted. */
    private volatile boolean closed;

    /** What has a socket, or a peer, on this loop and must be told when the loop closes. */
    interface Member {
        void onLoopClosing();
    }

    /** Has output that leaves at the end of the turn. */
    interface Output {
        void flushOutput();
    }

    /**
     * Starts the loop. What a task throws is logged, and the loop goes on.
     *
     * @param name the thread's name, {@code longhorn-role-volume}
     */
    public NioLoop(String name) {
        this(name, failure -> {});
    }

    /** The same, with somebody who is told on the loop about every exception that a task threw; it was logged already. */
    NioLoop(String name, Consumer<Throwable> uncaught) {
        this(name, uncaught, true);
    }

    private NioLoop(String name, Consumer<Throwable> uncaught, boolean lendsItself) {
        work = new LoopWork(name, uncaught);
        this.lendsItself = lendsItself;
        try {
            sockets = new LoopSockets();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open a selector for " + name + ": " + e.getMessage(), e);
        }
        thread = new Thread(this::runThread, name);
        thread.setDaemon(true);
        baton = new LoopBaton(sockets.selector(), thread);
        thread.start();
    }

    /**
     * Starts a loop that only its own thread ever runs: for work that uses files as well, whose channels a caller who is interrupted would close
     * under everyone's hands. Callers wait here until that thread has done what they asked for.
     *
     * @param name the thread's name, {@code longhorn-role-volume}
     */
    public static NioLoop onOwnThread(String name) {
        return onOwnThread(name, failure -> {});
    }

    /** The same, with somebody who is told as in {@link #NioLoop(String, Consumer)}. */
    static NioLoop onOwnThread(String name, Consumer<Throwable> uncaught) {
        return new NioLoop(name, uncaught, false);
    }

    /**
     * {@inheritDoc}
     *
     * @throws RejectedExecutionException if the loop is closed; tasks given while it is closing may be dropped
     */
    @Override
    public void execute(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException(thread.getName() + " is closed");
        }
        work.addTask(task);
        baton.call();
    }

    /**
     * {@inheritDoc} With answers on their way the loop's thread is about to be awake, and sends what many callers give it with one system call.
     *
     * @throws RejectedExecutionException as {@link #execute} does
     */
    @Override
    public void executePromptly(Runnable task) {
        if (!tryEnter()) {
            execute(task);
        } else if (expectedInputs > 0 || work.isWaiting()) {
            work.addTask(task);
            leave(false);
        } else {
            running = true;
            work.run(task);
            running = false;
            exit();
        }
    }

    @Override
    public void afterInput(Runnable task) {
        work.addAfterInput(task);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        return work.addTimer(System.nanoTime() + Math.min(Math.max(0, delayNanos), DELAY_NANOS_MAX), task);
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
        return random.nextLong();
    }

    @Override
    public boolean inLoop() {
        return baton.isHeldHere();
    }

    /** Where frames of this loop's connections are made. Loop only. */
    public FramePool pool() {
        return pool;
    }

    /**
     * Takes the loop for the calling thread if nobody is running it, so that {@link #inLoop} is true for it and it may call what is for the loop
     * only. What it does in there must be short and must not block. Ends with {@link #exit}, or {@link #awaitLeading}, by the same thread.
     * Any thread. While inside, the thread is not seen as interrupted; an interrupt is there again afterwards.
     *
     * @return false if somebody else runs the loop, or the caller is in the loop already, or the loop is closed or is run {@linkplain #onOwnThread on its
     *     own thread} only; nothing has happened then
     */
    public boolean tryEnter() {
        if (closed || !lendsItself || !baton.tryHold()) {
            return false;
        }
        if (closed) {
            baton.letGo();
            return false;
        }
        entered = true;
        interruptedBefore = Thread.interrupted();
        return true;
    }

    /** Leaves after {@link #tryEnter}: runs the tasks that were queued meanwhile, sends what was queued for peers, and gives the loop back. */
    public void exit() {
        requireEntered();
        runInline();
        leave(true);
    }

    /**
     * Waits until {@code done} is true, the deadline has passed, or the loop is closed, and runs the loop on the calling thread
     * meanwhile, if nobody else does. Called after {@link #tryEnter}, this also leaves as {@link #exit} does. An interrupt does not end the wait; it is
     * there again afterwards.
     *
     * <p>Any thread but those that are running something of the loop: there nobody would be left to wait for.
     *
     * @param done must become true, visibly for all threads, before {@link #unblock} is called for this thread
     * @param deadlineNanos on the clock of {@link #nanoTime}
     */
    public void awaitLeading(BooleanSupplier done, long deadlineNanos) {
        boolean inside = baton.isHeldHere();
        if (inside) {
            requireEntered();
        }
        boolean wasInterrupted = Thread.interrupted();
        if (inside) {
            wasInterrupted |= interruptedBefore;
            interruptedBefore = false;
            runInline();
        }
        baton.arrive();
        try {
            if (inside) {
                if (!done.getAsBoolean() && mayDrive() && baton.tryDrive()) {
                    entered = false;
                    lead(done, deadlineNanos);
                } else {
                    leave(false);
                }
            }
            while (!done.getAsBoolean() && !closed) {
                long left = deadlineNanos - System.nanoTime();
                if (left <= 0) {
                    break;
                }
                if (mayDrive() && !closing && baton.tryDrive()) {
                    wasInterrupted |= baton.hold();
                    lead(done, deadlineNanos);
                } else {
                    baton.park(left, mayDrive() && !closing);
                }
                wasInterrupted |= Thread.interrupted();
            }
        } finally {
            baton.depart();
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends the wait of {@code waiter} in {@link #awaitLeading}, whose {@code done} is true now. Any thread; no harm if it does not wait. */
    public void unblock(Thread waiter) {
        baton.unblock(waiter);
    }

    /**
     * Says that {@code change} more (or fewer) answers are expected for which no caller waits in {@link #awaitLeading}, such as those to
     * asynchronous operations. While there are any, somebody always watches the sockets; otherwise, after callers have led,
     * unasked-for input may be seen up to two milliseconds late. Loop only.
     */
    @Override
    public void expectInput(int change) {
        expectedInputs += change;
    }

    /** The thread's name. */
    public String name() {
        return thread.getName();
    }

    /**
     * Closes what has a socket on this loop, runs what was queued before, and ends the thread. Waits for that, unless called on
     * the loop itself. Timers that are not due are dropped.
     */
    @Override
    public void close() {
        closing = true;
        baton.call();
        if (inLoop()) {
            return;
        }
        boolean interrupted = false;
        try {
            long deadline = System.nanoTime() + CLOSE_SECONDS * 1_000_000_000L;
            while (true) {
                try {
                    if (!ended.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                        LOG.warn("{} did not end within {} s; a task blocks it", thread.getName(), CLOSE_SECONDS);
                    }
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    LoopSockets sockets() {
        return sockets;
    }

    LoopBuffers buffers() {
        return buffers;
    }

    /** Calls {@code output} once at the end of this turn. */
    void flushLater(Output output) {
        work.addOutput(output);
    }

    /** Logs and reports what a handler threw. */
    void report(Throwable e) {
        work.report(e);
    }

    void add(Member member) {
        members.add(member);
    }

    void remove(Member member) {
        members.remove(member);
    }

    private void runThread() {
        interrupted = baton.hold();
        try {
            while (!closing) {
                if (mayStandBy()) {
                    standBy();
                } else {
                    turn();
                }
                interrupted = false;
            }
            shutDown();
        } catch (Throwable e) {
            report(e);
        } finally {
            closed = true;
            work.runRounds();
            closeSockets();
            baton.letGo();
            baton.end();
            ended.countDown();
        }
    }

    /** Whether a blocked caller should drive from now on: callers have been coming one at a time, and nothing else is going on. */
    private boolean mayStandBy() {
        return lendsItself && baton.leaderWanted() && expectedInputs <= 0 && !work.isWaiting() && !isTimerNear();
    }

    private void standBy() {
        vacate();
        if (work.hasTasks() || closing) {
            baton.summon();
        }
        baton.standBy();
        interrupted = baton.hold();
    }

    private void vacate() {
        sleepsUntilNanos = System.nanoTime() + 2 * LoopBaton.STAND_BY_NANOS;
        baton.vacate();
    }

    /** Whether a timer is due before the loop's thread would come back by itself. */
    private boolean isTimerNear() {
        return work.nanosUntilTimer(System.nanoTime()) < 2 * LoopBaton.STAND_BY_NANOS;
    }

    /** Drives until {@code done}. The caller has just become the driver, and holds. */
    private void lead(BooleanSupplier done, long deadlineNanos) {
        baton.leadBegins();
        leaderDone = done;
        leaderDeadlineNanos = deadlineNanos;
        try {
            while (!done.getAsBoolean() && !closing && deadlineNanos - System.nanoTime() > 0) {
                turn();
            }
        } finally {
            leaderDone = null;
            boolean wasInterrupted = interrupted;
            interrupted = false;
            boolean workLeft = expectedInputs > 0 || work.isWaiting() || isTimerNear();
            baton.leadEnds();
            vacate();
            // The others look for a driver after they have counted themselves; this counts them after there is none.
            if (workLeft || baton.blocked() > 1 || work.hasTasks() || closing) {
                baton.summon();
            }
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** What a turn would do, without looking at sockets and timers. */
    private void runInline() {
        running = true;
        work.runRounds();
        running = false;
    }

    /** Ends inline work. With {@code watch} an answer may be expected, so somebody must watch the sockets from now on. */
    private void leave(boolean watch) {
        boolean call = sockets.isStale() || work.isWaiting() || work.nanosUntilTimer(sleepsUntilNanos) < 0;
        boolean summon = watch || expectedInputs > 0;
        boolean wasInterrupted = interruptedBefore;
        interruptedBefore = false;
        entered = false;
        baton.letGo();
        if (call || work.hasTasks() || closing) {
            baton.callDriver();
        } else if (summon) {
            baton.summon();
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void requireEntered() {
        if (!baton.isHeldHere() || !entered || running) {
            throw new IllegalStateException(Thread.currentThread().getName() + " has not entered " + thread.getName()
                    + ", or is running something of it");
        }
    }

    /** A virtual thread would block its carrier in the selector. */
    private boolean mayDrive() {
        return lendsItself && !VirtualThreads.isVirtual(Thread.currentThread());
    }

    private void turn() {
        // Timers run up to this moment only: what lay in the sockets then has been read when they run, however long
        // the thread was held up in between.
        long horizon = System.nanoTime();
        poll(horizon);
        running = true;
        sockets.handleReady(work);
        work.runRounds();
        work.runTimers(horizon);
        work.runRounds();
        running = false;
    }

    /** Finds out which sockets are ready, and sleeps until some are, or there is something else to do. */
    private void poll(long now) {
        sockets.refresh();
        long delay = nanosUntilWork(now);
        try {
            if (delay <= 0) {
                sockets.lookNow();
            } else {
                sleepsUntilNanos = now + Math.min(delay, Long.MAX_VALUE / 2);
                sleep(delay);
            }
        } catch (IOException e) {
            // Only the selector itself can fail here, for instance for want of memory in the kernel. Nothing is lost by
            // trying again.
            report(e);
        }
    }

    private void sleep(long delay) throws IOException {
        baton.fallAsleep();
        try {
            // Whoever queues something from here on wakes the selector.
            if (work.hasTasks() || closing || isLeaderDone()) {
                sockets.lookNow();
            } else {
                sockets.await(delay);
            }
        } finally {
            baton.wakeUp();
            interrupted |= Thread.interrupted();
            interrupted |= baton.hold();
        }
    }

    private boolean isLeaderDone() {
        BooleanSupplier done = leaderDone;
        return done != null && done.getAsBoolean();
    }

    private long nanosUntilWork(long now) {
        if (work.isWaiting() || closing) {
            return 0;
        }
        long delay = work.nanosUntilTimer(now);
        return leaderDone == null ? delay : Math.min(delay, leaderDeadlineNanos - now);
    }

    private void shutDown() {
        work.runRounds();
        List<Member> open = new ArrayList<>(members);
        for (Member member : open) {
            work.run(member::onLoopClosing);
        }
        // What these have queued: the news that connections are closed.
        work.runRounds();
    }

    private void closeSockets() {
        try {
            sockets.close();
        } catch (IOException e) {
            LOG.warn("the sockets of {} did not close", thread.getName(), e);
        }
    }
}
