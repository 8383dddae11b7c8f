package io.longhorn.engine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/** Control calls about one volume exclude each other, those about different ones do not; closing waits for all of them, and none begins after it. */
final class ControlLocks {
    private final Map<String, Lock> volumes = new ConcurrentHashMap<>();
    private final ReadWriteLock life = new ReentrantReadWriteLock();
    private boolean closed;

    /**
     * Runs a call that is about one volume.
     *
     * @throws IllegalStateException after {@link #close}
     */
    <T> T about(String volumeName, Supplier<T> call) {
        return whileOpen(() -> {
            Lock volume = volumes.computeIfAbsent(volumeName, name -> new ReentrantLock());
            volume.lock();
            try {
                return call.get();
            } finally {
                volume.unlock();
            }
        });
    }

    /** Runs a call that is about no volume. */
    <T> T whileOpen(Supplier<T> call) {
        life.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("this Longhorn is closed");
            }
            return call.get();
        } finally {
            life.readLock().unlock();
        }
    }

    /** Waits for the calls that run. False if it was closed before. */
    boolean close() {
        life.writeLock().lock();
        try {
            boolean first = !closed;
            closed = true;
            return first;
        } finally {
            life.writeLock().unlock();
        }
    }
}
