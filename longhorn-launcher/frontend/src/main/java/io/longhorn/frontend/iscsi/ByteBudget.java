package io.longhorn.frontend.iscsi;

import java.util.ArrayDeque;
import java.util.Queue;

/** Bounds the memory that the data of a session's commands takes: a command claims what it needs before it goes on, in order of asking. Event loop only. */
final class ByteBudget {

    private final Queue<Task> waiting = new ArrayDeque<>();
    private long free;

    ByteBudget(long bytes) {
        free = bytes;
    }

    /** Claims the task's bytes if that is possible at once. */
    boolean tryClaim(Task task) {
        if (!waiting.isEmpty() || task.claimBytes() > free) {
            return false;
        }
        free -= task.claimBytes();
        return true;
    }

    /** As {@link #tryClaim}; if not, the task is told later, unless it forgets about it. */
    boolean claim(Task task) {
        if (tryClaim(task)) {
            return true;
        }
        waiting.add(task);
        return false;
    }

    /** The task waits no longer. */
    void forget(Task task) {
        waiting.remove(task);
        grant();
    }

    /** Gives back what was claimed. */
    void release(int bytes) {
        free += bytes;
        grant();
    }

    private void grant() {
        for (Task next = waiting.peek(); next != null && next.claimBytes() <= free; next = waiting.peek()) {
            waiting.remove();
            free -= next.claimBytes();
            next.claimGranted();
        }
    }
}
