package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.InitiatorPort;
import io.longhorn.frontend.scsi.ScsiTarget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The commands of a session that have not ended. Outcomes come on any thread: they are stacked up, and the event loop is woken for the first of them only, when those that come together have come, so that many
 * cost one wake-up and one flush. Event loop only, but for {@link #handBack}.
 */
final class TaskSet {

    /** How long an aborted command waits for data that it had asked for. */
    private static final long ABORTED_DATA_SECONDS = 5;

    private final IntObjectMap<Task> byTag = new IntObjectHashMap<>();
    private final AtomicReference<@Nullable Task> handedBack = new AtomicReference<>();
    private final EventLoop loop;
    private final ByteBufAllocator allocator;
    private final ScsiTarget target;
    private final InitiatorPort port;
    private final CommandWindow window;
    private final ScsiAnswers answers;
    private final ByteBudget budget;
    private final Runnable atOutcomes;
    private final Runnable wakeLoop = this::wakeLoop;
    private int nextTag;
    private int immediateCount;
    private boolean closed;

    /** Whether the event loop is going to look for outcomes anyway. */
    private boolean attentive;

    private @Nullable Runnable whenEmpty;

    /** @param atOutcomes run on the event loop when there are outcomes; calls {@link #answerAll} */
    TaskSet(
            EventLoop loop,
            ByteBufAllocator allocator,
            ScsiTarget target,
            InitiatorPort port,
            CommandWindow window,
            ScsiAnswers answers,
            long bytesMax,
            Runnable atOutcomes) {
        this.loop = loop;
        this.allocator = allocator;
        this.target = target;
        this.port = port;
        this.window = window;
        this.answers = answers;
        this.budget = new ByteBudget(bytesMax);
        this.atOutcomes = atOutcomes;
    }

    ScsiTarget target() {
        return target;
    }

    InitiatorPort port() {
        return port;
    }

    ScsiAnswers answers() {
        return answers;
    }

    ByteBudget budget() {
        return budget;
    }

    ByteBuf allocate(int bytes, int bytesMax) {
        return allocator.directBuffer(bytes, bytesMax);
    }

    /** Takes so many target transfer tags in a row, none of them the one that means "none". */
    int takeTags(int count) {
        if (nextTag < 0 && nextTag + count >= Pdu.NO_TAG) {
            nextTag = 0;
        }
        int first = nextTag;
        nextTag += count;
        return first;
    }

    /** The command of that tag; null if there is none. */
    @Nullable
    Task find(int itt) {
        return byTag.get(itt);
    }

    void add(Task task) {
        byTag.put(task.itt(), task);
        if (task.isImmediate()) {
            immediateCount++;
        }
    }

    int immediateCount() {
        return immediateCount;
    }

    /** A task left the window. */
    void left(Task task) {
        if (task.isImmediate()) {
            immediateCount--;
        } else {
            window.ended();
        }
    }

    /** From now until {@link #answerAll} outcomes need wake nobody. */
    void expectOutcomes() {
        attentive = true;
    }

    /** Any thread: the outcome of a task is there. */
    void handBack(Task task) {
        Task before;
        do {
            before = handedBack.get();
            task.next = before;
        } while (!handedBack.compareAndSet(before, task));
        if (before == null && !(loop.inEventLoop() && attentive)) {
            target.afterOutcomes(wakeLoop);
        }
    }

    private void wakeLoop() {
        try {
            loop.execute(atOutcomes);
        } catch (RejectedExecutionException e) {
            forsakeAll();
        }
    }

    /** The portal was closed and did not wait for these. */
    private void forsakeAll() {
        for (Task task = handedBack.getAndSet(null); task != null; task = task.next) {
            task.forsake();
        }
    }

    /** Answers all whose outcomes are there, first come first. */
    void answerAll() {
        attentive = true;
        for (Task task = inOrder(handedBack.getAndSet(null));
                task != null;
                task = inOrder(handedBack.getAndSet(null))) {
            while (task != null) {
                Task following = task.next;
                task.next = null;
                answer(task);
                task = following;
            }
        }
        attentive = false;
    }

    private static @Nullable Task inOrder(@Nullable Task stack) {
        Task reversed = null;
        Task task = stack;
        while (task != null) {
            Task below = task.next;
            task.next = reversed;
            reversed = task;
            task = below;
        }
        return reversed;
    }

    private void answer(Task task) {
        task.executed();
        if (closed || task.isAborted()) {
            end(task);
        } else {
            answers.answer(task);
        }
    }

    /** The task is over: forgets it. */
    void end(Task task) {
        if (byTag.get(task.itt()) == task) {
            byTag.remove(task.itt());
        }
        answers.forget(task);
        task.end();
        Runnable listener = whenEmpty;
        if (listener != null && byTag.isEmpty()) {
            whenEmpty = null;
            listener.run();
        }
    }

    /** Aborts one command. */
    void abort(Task task, Runnable whenEnded) {
        task.abort(whenEnded);
        if (task.isAborted() && byTag.get(task.itt()) == task) {
            var unused = loop.schedule(task::abandonData, ABORTED_DATA_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Aborts all of a kind; each is counted down when it has ended. */
    void abortAll(Predicate<Task> kind, Countdown countdown) {
        for (Task task : all()) {
            if (kind.test(task)) {
                countdown.add();
                abort(task, countdown::done);
            }
        }
    }

    /**
     * The connection is gone: nothing is answered any more.
     *
     * @param listener run on the event loop when all have ended, perhaps at once
     */
    void close(Runnable listener) {
        closed = true;
        for (Task task : all()) {
            task.abandonData();
        }
        if (byTag.isEmpty()) {
            listener.run();
        } else {
            whenEmpty = listener;
        }
    }

    private List<Task> all() {
        return new ArrayList<>(byTag.values());
    }
}
