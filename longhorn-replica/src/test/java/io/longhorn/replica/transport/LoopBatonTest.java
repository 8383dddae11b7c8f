package io.longhorn.replica.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoopBatonTest {
    private static final int DRIVERS = 8;
    private static final int TURNS = 200_000;

    /** Not volatile: the baton alone must make it safe. */
    private int turns;

    /**
     * Many threads on few processors give up the loop and take it, so that some are held up between giving up to drive and giving up to hold. Who
     * became the driver just then parks, and has to be woken.
     */
    @Test
    void aDriverThatCameBeforeTheHolderLeftIsWoken() throws Exception {
        Thread loopThread = new Thread(() -> {}, "loop");
        CountDownLatch ended = new CountDownLatch(DRIVERS);
        try (Selector selector = Selector.open()) {
            LoopBaton baton = new LoopBaton(selector, loopThread);
            baton.hold();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < DRIVERS; i++) {
                Thread thread = new Thread(() -> drive(baton, ended), "driver-" + i);
                thread.setDaemon(true);
                threads.add(thread);
                thread.start();
            }
            baton.vacate();
            assertThat(ended.await(40, TimeUnit.SECONDS))
                    .as("every driver got its turns; turns so far: %d", turns)
                    .isTrue();
            for (Thread thread : threads) {
                thread.join();
            }
        }
        assertThat(turns).isEqualTo(DRIVERS * TURNS);
    }

    private void drive(LoopBaton baton, CountDownLatch ended) {
        for (int turn = 0; turn < TURNS; ) {
            if (baton.tryDrive()) {
                baton.hold();
                turns++;
                turn++;
                baton.vacate();
            } else {
                Thread.onSpinWait();
            }
        }
        ended.countDown();
    }
}
