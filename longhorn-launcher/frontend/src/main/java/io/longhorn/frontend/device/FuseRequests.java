package io.longhorn.frontend.device;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The requests that a device has at once. Made when first needed, then used again, the one that was used last first, so that a device with little to do touches little memory.
 * One thread takes, any thread gives back.
 */
final class FuseRequests {

    private final Supplier<FuseRequest> maker;
    private final int max;

    /** A stack. It is sound without counters in its links because only one thread pops. */
    private final AtomicReference<@Nullable FuseRequest> free = new AtomicReference<>();

    private volatile @Nullable Thread waiter;
    private int made;

    FuseRequests(int max, Supplier<FuseRequest> maker) {
        this.max = max;
        this.maker = maker;
    }

    /** Waits until one is free if all are in use; each comes back within the time limit of the volume's operations. */
    FuseRequest take() {
        FuseRequest request = poll();
        if (request != null) {
            return request;
        }
        if (made < max) {
            FuseRequest first = maker.get();
            made++;
            return first;
        }
        return await();
    }

    void giveBack(FuseRequest request) {
        FuseRequest top;
        do {
            top = free.get();
            request.next = top;
        } while (!free.compareAndSet(top, request));
        LockSupport.unpark(waiter);
    }

    /** Shows those that are free to the one who takes, who must not keep them. */
    void forEachFree(Consumer<FuseRequest> action) {
        FuseRequest request = free.getAndSet(null);
        while (request != null) {
            FuseRequest following = request.next;
            action.accept(request);
            giveBack(request);
            request = following;
        }
    }

    /** Takes all of them, waiting for each, and hands them over. */
    void drain(Consumer<FuseRequest> action) {
        for (; made > 0; made--) {
            FuseRequest request = poll();
            action.accept(request == null ? await() : request);
        }
    }

    private FuseRequest await() {
        waiter = Thread.currentThread();
        boolean interrupted = false;
        FuseRequest request = poll();
        while (request == null) {
            LockSupport.park(this);
            // A thread with that mark would not park.
            interrupted |= Thread.interrupted();
            request = poll();
        }
        waiter = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return request;
    }

    private @Nullable FuseRequest poll() {
        FuseRequest top;
        do {
            top = free.get();
        } while (top != null && !free.compareAndSet(top, top.next));
        return top;
    }
}
