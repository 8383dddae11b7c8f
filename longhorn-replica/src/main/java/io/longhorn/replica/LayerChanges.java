package io.longhorn.replica;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that changes layer files of a disk, one after another: checkpoints, copies of a rebuild, removal of layers. So nobody who plans such a change from maps
 * and trees sees them change before it ends. Loop only.
 */
final class LayerChanges {

    /** A change in steps, some of them on the worker. */
    interface Change {
        /** Begins it, unless it has become pointless, and runs {@code ended} once, on the loop, when it is over or nothing was to do. */
        void begin(Runnable ended) throws IOException;
    }

    /** Told of a change that could not even begin. */
    interface FailureListener {
        void couldNotBegin(IOException cause);
    }

    private final FailureListener listener;
    private final ArrayDeque<Change> waiting = new ArrayDeque<>();
    private List<Runnable> idleTasks = new ArrayList<>();
    private @Nullable Change running;
    private boolean starting;
    private boolean stopped;

    LayerChanges(FailureListener listener) {
        this.listener = listener;
    }

    boolean isIdle() {
        return running == null && waiting.isEmpty();
    }

    int waiting() {
        return waiting.size();
    }

    void add(Change change) {
        if (!stopped) {
            waiting.add(change);
            startNext();
        }
    }

    /** Runs {@code task} as soon as nothing runs and nothing waits: now, or later. */
    void whenIdle(Runnable task) {
        idleTasks.add(task);
        runIdleTasks();
    }

    /** Nothing new begins; what runs still ends. */
    void stop() {
        stopped = true;
        waiting.clear();
    }

    private void startNext() {
        // A change may end before begin returns; the loop here keeps a long queue of such from growing the stack.
        if (starting) {
            return;
        }
        starting = true;
        try {
            while (running == null && !waiting.isEmpty()) {
                Change next = waiting.remove();
                running = next;
                begin(next);
            }
        } finally {
            starting = false;
        }
        runIdleTasks();
    }

    private void begin(Change change) {
        try {
            change.begin(() -> ended(change));
        } catch (IOException e) {
            listener.couldNotBegin(e);
            ended(change);
        }
    }

    /** Identity is meant: the same change may say so twice. */
    @SuppressWarnings("ReferenceEquality")
    private void ended(Change change) {
        if (running == change) {
            running = null;
            startNext();
        }
    }

    private void runIdleTasks() {
        if (isIdle() && !idleTasks.isEmpty()) {
            List<Runnable> due = idleTasks;
            idleTasks = new ArrayList<>();
            due.forEach(Runnable::run);
        }
    }
}
