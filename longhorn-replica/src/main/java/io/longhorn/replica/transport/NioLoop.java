package io.longhorn.replica.transport;

import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loop on a thread of its own with a socket selector. It sleeps while there is nothing to do; giving it a task costs a system
 * call only when it sleeps.
 */
public final class NioLoop implements Loop, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NioLoop.class);

    /** One read takes at most this much: several of the largest frames, or a hundred small ones, for one journal write. */
    static final int RECEIVE_BYTES = 512 << 10;

    /** Tasks run in one go before sockets are looked at again. */
    private static final int TASKS_PER_ROUND = 1024;
    /** Rounds of tasks, what waits for the end of the turn, and output, before sockets are looked at again. */
    private static final int ROUNDS_PER_TURN = 16;

    /** How long {@link #close} waits for the thread. */
    private static final long CLOSE_SECONDS = 10;

    private static final int READY_KEYS_INITIAL = 16;

    private final Thread thread;
    private final Selector selector;
    private final LoopBaton baton;
    private final TaskQueue tasks = new TaskQueue();
    private final Consumer<Throwable> uncaught;
    private final CountDownLatch ended = new CountDownLatch(1);

    private final TimerHeap timers = new TimerHeap();
    private final ArrayDeque<Runnable> afterInput = new ArrayDeque<>();
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Set<Member> members = new LinkedHashSet<>();
    private final FramePool pool = new FramePool();
    private final SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());

    private final Consumer<SelectionKey> collectReady = this::collectReady;
    private @Nullable SelectionKey[] ready = new SelectionKey[READY_KEYS_INITIAL];
    private int readyCount;
    private @Nullable ByteBuffer receiveBuffer;

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

    /** Waits for a socket. */
    interface Ready {
        void onReady(SelectionKey key);
    }

    /**
     * Starts the loop.
     *
     * @param name the thread's name, {@code longhorn-role-volume}
     * @param uncaught told on the loop about every exception that a task threw; it was logged already
     */
    public NioLoop(String name, Consumer<Throwable> uncaught) {
        this.uncaught = uncaught;
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open a selector for " + name + ": " + e.getMessage(), e);
        }
        thread = new Thread(this::runThread, name);
        thread.setDaemon(true);
        baton = new LoopBaton(selector);
        thread.start();
    }

    @Override
    public void execute(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException(thread.getName() + " is closed");
        }
        tasks.add(task);
        baton.call();
    }

    @Override
    public void afterInput(Runnable task) {
        afterInput.addLast(task);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        return timers.add(System.nanoTime() + Math.max(0, delayNanos), task);
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
                    if (!ended.await(deadline - System.nanoTime(), java.util.concurrent.TimeUnit.NANOSECONDS)) {
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

    /** The buffer that sockets of this loop are read into. Its bytes are good until the next read. */
    ByteBuffer receiveBuffer() {
        ByteBuffer buffer = receiveBuffer;
        if (buffer == null) {
            buffer = ByteBuffer.allocateDirect(RECEIVE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            receiveBuffer = buffer;
        }
        return buffer;
    }

    /** Has {@code handler} called when one of {@code operations} is possible. */
    SelectionKey register(SelectableChannel channel, int operations, Ready handler) throws IOException {
        SelectionKey key = channel.register(selector, operations, handler);
        baton.interestChanged();
        return key;
    }

    void interest(SelectionKey key, int operations) {
        if (key.interestOps() != operations) {
            key.interestOps(operations);
            baton.interestChanged();
        }
    }

    /** A key was cancelled, or its channel is about to be closed: the socket goes away when the selector next runs. */
    void keyGone() {
        baton.interestChanged();
    }

    /** Calls {@code output} once at the end of this turn. */
    void flushLater(Output output) {
        outputs.addLast(output);
    }

    void add(Member member) {
        members.add(member);
    }

    void remove(Member member) {
        members.remove(member);
    }

    /** Runs something that this loop was given, and keeps what it throws away from the loop. */
    void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            report(e);
        }
    }

    void report(Throwable e) {
        LOG.error("a task of {} failed", thread.getName(), e);
        try {
            uncaught.accept(e);
        } catch (Throwable second) {
            LOG.error("the handler for failed tasks of {} failed itself", thread.getName(), second);
        }
    }

    private void runThread() {
        baton.own();
        try {
            while (!closing) {
                turn();
            }
            shutDown();
        } catch (Throwable e) {
            report(e);
        } finally {
            closed = true;
            runTasks();
            closeSelector();
            baton.release();
            ended.countDown();
        }
    }

    private void turn() {
        // Timers run up to this moment only: what lay in the sockets then has been read when they run, however long the
        // thread
        // was held up in between.
        long horizon = System.nanoTime();
        poll(horizon);
        handleReady();
        runRounds();
        runTimers(horizon);
        runRounds();
    }

    private void poll(long now) {
        try {
            if (hasWork()) {
                selector.selectNow(collectReady);
                return;
            }
            long delay = timers.isEmpty() ? Long.MAX_VALUE : timers.firstDueNanos() - now;
            if (delay <= 0) {
                selector.selectNow(collectReady);
                return;
            }
            baton.releaseToSleep(timers.isEmpty() ? Long.MAX_VALUE : timers.firstDueNanos());
            try {
                if (!tasks.isEmpty() || closing) {
                    selector.selectNow(collectReady);
                } else if (delay == Long.MAX_VALUE) {
                    selector.select(collectReady);
                } else {
                    selector.select(collectReady, toMillis(delay));
                }
            } finally {
                baton.ownAfterSleep();
            }
        } catch (IOException e) {
            // Only the selector itself can fail here, for instance for want of memory in the kernel; nothing is lost by
            // trying again.
            report(e);
        } catch (ClosedSelectorException e) {
            throw new IllegalStateException("somebody closed the selector of " + thread.getName(), e);
        }
    }

    /** Rounded up: waking early would only mean one more turn. */
    private static long toMillis(long nanos) {
        return nanos / 1_000_000 + 1;
    }

    private boolean hasWork() {
        return !tasks.isEmpty() || !afterInput.isEmpty() || !outputs.isEmpty() || closing;
    }

    private void collectReady(SelectionKey key) {
        if (readyCount == ready.length) {
            ready = Arrays.copyOf(ready, readyCount * 2);
        }
        ready[readyCount++] = key;
    }

    private void handleReady() {
        for (int i = 0; i < readyCount; i++) {
            SelectionKey key = ready[i];
            ready[i] = null;
            if (key != null && key.isValid() && key.attachment() instanceof Ready handler) {
                try {
                    handler.onReady(key);
                } catch (Throwable e) {
                    report(e);
                }
            }
        }
        readyCount = 0;
    }

    /** Tasks, then what waits for the end of the turn, then output; again while they make each other work. */
    private void runRounds() {
        for (int round = 0; round < ROUNDS_PER_TURN && hasWork(); round++) {
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

    private void flush(Output output) {
        try {
            output.flushOutput();
        } catch (Throwable e) {
            report(e);
        }
    }

    private void runTimers(long horizon) {
        long createdBefore = timers.created();
        Runnable task;
        while ((task = timers.pollDue(horizon, createdBefore)) != null) {
            run(task);
        }
    }

    private void shutDown() {
        runRounds();
        List<Member> open = new ArrayList<>(members);
        for (Member member : open) {
            run(member::onLoopClosing);
        }
        // What these have queued: the news that connections are closed.
        runRounds();
    }

    private void closeSelector() {
        try {
            // Sockets that were only waiting for their peer to end gently.
            for (SelectionKey key : selector.keys()) {
                key.channel().close();
            }
            selector.close();
        } catch (IOException e) {
            LOG.warn("the selector of {} did not close", thread.getName(), e);
        }
    }
}
