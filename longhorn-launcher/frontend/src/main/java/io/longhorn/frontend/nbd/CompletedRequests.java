package io.longhorn.frontend.nbd;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Requests of one connection whose stages completed on other threads, on their way to the connection's loop. Without a lock, and linked by {@link Request#next}. */
final class CompletedRequests {

    private final AtomicReference<@Nullable Request> last = new AtomicReference<>();

    /** Whether it is the first since {@link #take}: the loop must be told, once for all that follow. Any thread. */
    boolean add(Request request) {
        Request before;
        do {
            before = last.get();
            request.next = before;
        } while (!last.compareAndSet(before, request));
        return before == null;
    }

    /** All of them, the oldest first, each linked to the next; null if there are none. */
    @Nullable
    Request take() {
        Request oldest = null;
        for (Request request = last.getAndSet(null); request != null; ) {
            Request before = request.next;
            request.next = oldest;
            oldest = request;
            request = before;
        }
        return oldest;
    }
}
