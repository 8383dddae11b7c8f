package io.longhorn.frontend.iscsi;

import java.util.concurrent.atomic.AtomicInteger;

/** Runs something when as many things are done as were added. Starts with one, so that nothing happens before its maker is done with adding. Any thread. */
final class Countdown {

    private final AtomicInteger left = new AtomicInteger(1);
    private final Runnable atZero;

    Countdown(Runnable atZero) {
        this.atZero = atZero;
    }

    void add() {
        left.incrementAndGet();
    }

    void done() {
        if (left.decrementAndGet() == 0) {
            atZero.run();
        }
    }
}
