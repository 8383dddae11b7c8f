package io.longhorn.replica.transport;

import java.nio.channels.Selector;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Which thread may touch a loop's state, and how a sleeping loop is woken. */
final class LoopBaton {
    /** The loop looks at its queue before it sleeps. */
    private static final int AWAKE = 0;
    /** In the selector, or about to be. */
    private static final int SLEEPING = 1;
    /** In the selector, and woken already. */
    private static final int CALLED = 2;

    private final Selector selector;
    private final AtomicReference<@Nullable Thread> owner = new AtomicReference<>();
    private final AtomicInteger state = new AtomicInteger(AWAKE);

    LoopBaton(Selector selector) {
        this.selector = selector;
    }

    boolean isHeldHere() {
        return owner.get() == Thread.currentThread();
    }

    void own() {
        owner.set(Thread.currentThread());
    }

    void release() {
        owner.set(null);
    }

    /** Before sleeping. The caller looks at its queue once more between this and the selector. */
    void releaseToSleep(long untilNanos) {
        state.set(SLEEPING);
        owner.set(null);
    }

    void ownAfterSleep() {
        state.set(AWAKE);
        own();
    }

    /** Something was queued: makes sure that the loop sees it. */
    void call() {
        if (owner.get() == null && state.compareAndSet(SLEEPING, CALLED)) {
            selector.wakeup();
        }
    }

    /** A key's interest changed or a key was added; a selector that is asleep would not know. */
    void interestChanged() {}
}
