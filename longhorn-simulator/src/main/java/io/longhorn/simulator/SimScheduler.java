package io.longhorn.simulator;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Virtual time: events in the order of their time, those of the same time in the order they were asked for. Nothing else moves a
 * simulated run, and nothing in it takes real time. One thread.
 */
public final class SimScheduler {
    private final SimRandom random;
    private final SimTrace trace;
    private @Nullable Event[] heap = new @Nullable Event[256];
    private int size;
    private long now;
    private long order;
    private long steps;

    public SimScheduler(long seed, SimTrace trace) {
        this.random = new SimRandom(seed);
        this.trace = trace;
    }

    /** Virtual nanoseconds since the run began. */
    public long now() {
        return now;
    }

    public SimRandom random() {
        return random;
    }

    public SimTrace trace() {
        return trace;
    }

    /** Events that ran so far. */
    public long steps() {
        return steps;
    }

    /** Notes an event in the trace at the present time. */
    public void note(String actor, String what, long first, long second) {
        trace.add(now, actor, what, first, second);
    }

    /** Runs {@code action} at {@code time}, or now if that is past. */
    public Event at(long time, Runnable action) {
        Event event = new Event(Math.max(time, now), order++, action);
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        heap[size] = event;
        siftUp(size++, event);
        return event;
    }

    /** Runs {@code action} {@code delay} nanoseconds from now. */
    public Event after(long delay, Runnable action) {
        return at(now + delay, action);
    }

    /** Runs all events up to {@code time} and leaves the clock there. */
    public void runUntil(long time) {
        while (size > 0 && top().time <= time) {
            Event event = pop();
            if (!event.cancelled) {
                now = event.time;
                steps++;
                event.action.run();
            }
        }
        now = Math.max(now, time);
    }

    private Event top() {
        Event event = heap[0];
        if (event == null) {
            throw new IllegalStateException("empty");
        }
        return event;
    }

    private Event pop() {
        Event first = top();
        Event last = heap[--size];
        heap[size] = null;
        if (size > 0 && last != null) {
            siftDown(last);
        }
        return first;
    }

    private void siftUp(int from, Event event) {
        int i = from;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            Event p = heap[parent];
            if (p == null || p.before(event)) {
                break;
            }
            heap[i] = p;
            i = parent;
        }
        heap[i] = event;
    }

    private void siftDown(Event event) {
        int i = 0;
        int half = size >>> 1;
        while (i < half) {
            int child = 2 * i + 1;
            Event c = heap[child];
            Event right = child + 1 < size ? heap[child + 1] : null;
            if (right != null && c != null && right.before(c)) {
                child++;
                c = right;
            }
            if (c == null || event.before(c)) {
                break;
            }
            heap[i] = c;
            i = child;
        }
        heap[i] = event;
    }

    /** Something that will happen, unless cancelled. */
    public static final class Event {
        private final long time;
        private final long order;
        private final Runnable action;
        private boolean cancelled;

        Event(long time, long order, Runnable action) {
            this.time = time;
            this.order = order;
            this.action = action;
        }

        public long time() {
            return time;
        }

        public void cancel() {
            cancelled = true;
        }

        private boolean before(Event other) {
            return time < other.time || (time == other.time && order < other.order);
        }
    }
}
