package io.longhorn.frontend.scsi;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** The commands of one nexus that began before a moment that somebody waits for. Any thread. */
final class Flight {

    /** The commands at work, and one more until {@link #close}. */
    private final AtomicInteger aboard = new AtomicInteger(1);

    private final CompletableFuture<Void> landed = new CompletableFuture<>();

    /** Whether the command belongs to this flight; not if it is over. */
    boolean board() {
        int count;
        do {
            count = aboard.get();
            if (count == 0) {
                return false;
            }
        } while (!aboard.compareAndSet(count, count + 1));
        return true;
    }

    void leave() {
        if (aboard.decrementAndGet() == 0) {
            landed.complete(null);
        }
    }

    /** Once, when no command shall board any more. What is returned is complete when all have ended. */
    CompletableFuture<Void> close() {
        leave();
        return landed;
    }
}
