package io.longhorn.replica.transport;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Tasks from any thread to the one that owns the loop, first in, first out. A ring takes them without allocating; when it is
 * full, tasks go to a linked queue, and so do all later ones until that is empty again, which keeps the order.
 *
 * <p>Not bounded: a loop cannot refuse the outcome of work it has started. What is queued is bounded by the callers' own limits on
 * what they have in flight.
 */
final class TaskQueue {
    /** Well above the operations that one loop has in flight between two turns. */
    private static final int RING_TASKS = 4096;

    private static final int MASK = RING_TASKS - 1;

    private final AtomicReferenceArray<@Nullable Runnable> ring = new AtomicReferenceArray<>(RING_TASKS);
    /** Next slot to fill; producers take it by compare-and-set. */
    private final AtomicLong tail = new AtomicLong();
    /** Next slot to empty; only the consumer writes it. */
    private final AtomicLong head = new AtomicLong();

    private final Queue<Runnable> overflow = new ConcurrentLinkedQueue<>();
    private final AtomicInteger overflowing = new AtomicInteger();

    /** Any thread. A later {@link #isEmpty} on any thread that sees the caller's next step sees the task. */
    void add(Runnable task) {
        if (overflowing.get() == 0 && addToRing(task)) {
            return;
        }
        overflowing.incrementAndGet();
        overflow.add(task);
    }

    private boolean addToRing(Runnable task) {
        while (true) {
            long slot = tail.get();
            if (slot - head.get() >= RING_TASKS) {
                return false;
            }
            if (tail.compareAndSet(slot, slot + 1)) {
                ring.setRelease((int) slot & MASK, task);
                return true;
            }
        }
    }

    /** The next task; null if there is none, or if the thread that adds the next one has not finished doing so. Consumer only. */
    @Nullable
    Runnable poll() {
        long slot = head.get();
        Runnable task = ring.getAcquire((int) slot & MASK);
        if (task != null) {
            ring.setPlain((int) slot & MASK, null);
            head.setRelease(slot + 1);
            return task;
        }
        // The ring's tasks came before those of the overflow, also the one whose slot is taken but not filled yet.
        if (overflowing.get() == 0 || tail.get() != slot) {
            return null;
        }
        Runnable late = overflow.poll();
        if (late != null) {
            overflowing.decrementAndGet();
        }
        return late;
    }

    /** False from the moment on at which an {@link #add} has begun to take effect, so a false may come a moment too early. Any thread. */
    boolean isEmpty() {
        return tail.get() == head.get() && overflowing.get() == 0;
    }
}
