package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Loop;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Timers of one loop, ordered by due time, then by creation: a binary heap in which each timer knows its place, so that
 * cancelling removes it at once. Belongs to the loop.
 */
final class TimerHeap {
    private static final int INITIAL_TIMERS = 32;

    private @Nullable Entry[] heap = new Entry[INITIAL_TIMERS];
    private int size;
    private long created;

    Loop.Timer add(long dueNanos, Runnable task) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        Entry entry = new Entry(this, dueNanos, created++, task);
        size++;
        siftUp(size - 1, entry);
        return entry;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** When the first timer is due, on the clock of {@link System#nanoTime}; only if there is one. */
    long firstDueNanos() {
        return at(0).dueNanos;
    }

    /** Takes out the first timer if it is due by {@code nowNanos} and was created before the {@code createdBefore}th. */
    @Nullable
    Runnable pollDue(long nowNanos, long createdBefore) {
        if (size == 0) {
            return null;
        }
        Entry first = at(0);
        // A timer that a timer of this round has set waits for the next round, so that a delay of 0 cannot hold the
        // loop.
        if (first.dueNanos - nowNanos > 0 || first.number >= createdBefore) {
            return null;
        }
        remove(first);
        return first.task;
    }

    /** How many timers were created so far. */
    long created() {
        return created;
    }

    private void remove(Entry entry) {
        int hole = entry.index;
        entry.index = Entry.GONE;
        size--;
        Entry last = at(size);
        heap[size] = null;
        if (last != entry) {
            siftDown(hole, last);
            if (heap[hole] == last) {
                siftUp(hole, last);
            }
        }
    }

    private void siftUp(int from, Entry entry) {
        int index = from;
        while (index > 0) {
            int parent = (index - 1) >>> 1;
            Entry above = at(parent);
            if (!entry.before(above)) {
                break;
            }
            put(index, above);
            index = parent;
        }
        put(index, entry);
    }

    private void siftDown(int from, Entry entry) {
        int index = from;
        while (true) {
            int child = 2 * index + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && at(child + 1).before(at(child))) {
                child++;
            }
            Entry below = at(child);
            if (!below.before(entry)) {
                break;
            }
            put(index, below);
            index = child;
        }
        put(index, entry);
    }

    private void put(int index, Entry entry) {
        heap[index] = entry;
        entry.index = index;
    }

    private Entry at(int index) {
        Entry entry = heap[index];
        if (entry == null) {
            throw new IllegalStateException("timer heap has no entry " + index + " of " + size);
        }
        return entry;
    }

    private static final class Entry implements Loop.Timer {
        static final int GONE = -1;

        private final TimerHeap owner;
        private final long dueNanos;
        private final long number;
        private final Runnable task;
        private int index;

        Entry(TimerHeap owner, long dueNanos, long number, Runnable task) {
            this.owner = owner;
            this.dueNanos = dueNanos;
            this.number = number;
            this.task = task;
        }

        boolean before(Entry other) {
            long difference = dueNanos - other.dueNanos;
            return difference < 0 || (difference == 0 && number < other.number);
        }

        @Override
        public void cancel() {
            if (index != GONE) {
                owner.remove(this);
            }
        }
    }
}
