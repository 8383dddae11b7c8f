package io.longhorn.backup.nfs;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The slots of a session (RFC 8881, section 2.10.6.1): those with low numbers are used first. Safe for any thread. */
final class SlotTable {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Slot[] slots;
    private int usable;
    private boolean closed;

    SlotTable(int count) {
        slots = new Slot[count];
        for (int i = 0; i < count; i++) {
            slots[i] = new Slot(i);
        }
        usable = count;
    }

    /**
     * A slot, which the caller gives back; waits for one.
     *
     * @throws SessionLostException if there will be none any more
     */
    Slot acquire(TimeLimit limit) throws IOException {
        lock.lock();
        try {
            while (true) {
                checkOpen();
                Slot free = free();
                if (free != null) {
                    free.setState(Slot.State.BUSY);
                    return free;
                }
                if (!anyBusy()) {
                    close();
                } else if (limit.isOver()) {
                    throw new IOException("all " + usable + " calls that the server allows at a time are under way");
                } else {
                    waitForChange(limit.leftNanos());
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("WaitNotInLoop") // The loop is the caller's.
    private void waitForChange(long nanos) throws IOException {
        try {
            long unused = changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            throw Interrupts.interrupted();
        }
    }

    /**
     * A slot, if one is free now.
     *
     * @throws SessionLostException if there will be none any more
     */
    Optional<Slot> tryAcquire() throws SessionLostException {
        lock.lock();
        try {
            checkOpen();
            Slot free = free();
            if (free != null) {
                free.setState(Slot.State.BUSY);
            }
            return Optional.ofNullable(free);
        } finally {
            lock.unlock();
        }
    }

    private void checkOpen() throws SessionLostException {
        if (closed) {
            throw new SessionLostException("the session with the server has ended");
        }
    }

    private @Nullable Slot free() {
        for (int i = 0; i < usable; i++) {
            if (slots[i].state() == Slot.State.FREE) {
                return slots[i];
            }
        }
        return null;
    }

    private boolean anyBusy() {
        for (Slot slot : slots) {
            if (slot.state() == Slot.State.BUSY) {
                return true;
            }
        }
        return false;
    }

    /** The highest number in use. */
    int highest() {
        lock.lock();
        try {
            int highest = 0;
            for (Slot slot : slots) {
                if (slot.state() != Slot.State.FREE) {
                    highest = slot.number();
                }
            }
            return highest;
        } finally {
            lock.unlock();
        }
    }

    /** Gives back a slot whose call was answered, or never sent. */
    void release(Slot slot) {
        change(slot, Slot.State.FREE);
    }

    /** Gives back a slot whose call may be executed or not. Nobody gets it before {@link #settle}. */
    void doubt(Slot slot) {
        change(slot, Slot.State.DOUBTFUL);
    }

    /** The answer to the last call of a doubtful slot came after all. */
    void settle(Slot slot) {
        lock.lock();
        try {
            slot.advance();
            change(slot, Slot.State.FREE);
        } finally {
            lock.unlock();
        }
    }

    private void change(Slot slot, Slot.State state) {
        lock.lock();
        try {
            slot.setState(state);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The server wants no more than so many to be used. */
    void limit(long count) {
        lock.lock();
        try {
            usable = (int) Math.max(1, Math.min(count, slots.length));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** No slot is given out any more. */
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
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
}
