package io.longhorn.app.daemon;

import io.longhorn.VolumeEvent;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The last events of this daemon, numbered from 1, for any number of readers that each remember how far they are. A reader that falls behind by more than the log holds misses
 * some, and can tell by the numbers. Any thread; telling an event never waits for a reader.
 */
final class EventLog {

    /** Some minutes of a busy daemon; a few hundred kilobytes. */
    static final int KEPT_MAX = 1024;

    /**
     * Something that happened.
     *
     * @param number one more than the one before
     * @param kind such as {@code ReplicaLost}
     * @param volume what it is about; empty if it is about no volume
     * @param fields what to tell, {@code volume} and {@code at} among it
     */
    record Entry(long number, String kind, String volume, Map<String, Object> fields) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition told = lock.newCondition();
    private final Deque<Entry> kept = new ArrayDeque<>();
    private long last;
    private boolean closed;

    /** What happened to an open volume. */
    void tell(VolumeEvent event) {
        tell(event.getClass().getSimpleName(), event.volume(), fields(event));
    }

    /** What the daemon did. */
    void tell(String kind, String volume, Map<String, Object> details) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("volume", volume);
        fields.put("at", Instant.now().toString());
        fields.putAll(details);
        lock.lock();
        try {
            last++;
            kept.addLast(new Entry(last, kind, volume, fields));
            if (kept.size() > KEPT_MAX) {
                kept.removeFirst();
            }
            told.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The number of the newest one, 0 before the first. */
    long last() {
        lock.lock();
        try {
            return last;
        } finally {
            lock.unlock();
        }
    }

    /** Those that came after a number, oldest first; waits for one, though not longer than the limit. Empty too when the log is closed. */
    List<Entry> after(long number, Duration limit) throws InterruptedException {
        long left = limit.toNanos();
        lock.lockInterruptibly();
        try {
            while (last <= number && !closed && left > 0) {
                left = told.awaitNanos(left);
            }
            List<Entry> found = new ArrayList<>();
            for (Entry entry : kept) {
                if (entry.number() > number) {
                    found.add(entry);
                }
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Wakes all who wait. */
    void close() {
        lock.lock();
        try {
            closed = true;
            told.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Events are records, and more kinds may come: what they hold is told under the names that it has there. */
    private static Map<String, Object> fields(VolumeEvent event) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (RecordComponent component : event.getClass().getRecordComponents()) {
            try {
                Object value = component.getAccessor().invoke(event);
                if (value instanceof Duration took) {
                    fields.put(component.getName() + "Millis", took.toMillis());
                } else {
                    fields.put(
                            component.getName(),
                            value instanceof Long || value instanceof Boolean ? value : text(value));
                }
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException("an event does not tell its " + component.getName(), e);
            }
        }
        return fields;
    }

    private static String text(Object value) {
        return value instanceof Enum<?> one ? one.name().toLowerCase(Locale.ROOT) : String.valueOf(value);
    }
}
