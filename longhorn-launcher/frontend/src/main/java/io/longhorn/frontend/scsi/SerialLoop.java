package io.longhorn.frontend.scsi;

import java.util.concurrent.atomic.AtomicInteger;

/** Repeats a step that asks for its own repetition, perhaps before it returns, without growing the stack. One request is open at a time. */
final class SerialLoop {

    private final Runnable step;
    private final AtomicInteger asked = new AtomicInteger();

    SerialLoop(Runnable step) {
        this.step = step;
    }

    void run() {
        if (asked.getAndIncrement() != 0) {
            return;
        }
        do {
            step.run();
        } while (asked.decrementAndGet() != 0);
    }
}
