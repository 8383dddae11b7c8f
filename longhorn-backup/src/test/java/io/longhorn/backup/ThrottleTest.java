package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ThrottleTest {
    private static final long SECOND = 1_000_000_000;

    @Test
    void whatGoesIsPaidForAfterwards() {
        assertThat(Throttle.after(0, 0, 500, 1000)).isEqualTo(SECOND / 2);
        assertThat(Throttle.after(SECOND / 2, 0, 500, 1000)).isEqualTo(SECOND);
    }

    @Test
    void whatNobodyUsedIsNotSavedUp() {
        assertThat(Throttle.after(0, 100 * SECOND, 1000, 1000)).isEqualTo(101 * SECOND);
    }

    @Test
    void withoutALimitNothingIsOwed() {
        assertThat(Throttle.after(5 * SECOND, 7 * SECOND, 1 << 30, 0)).isEqualTo(7 * SECOND);
    }

    @Test
    void whoWaitsGoesOnWhenTheLimitIsLifted() throws Exception {
        Throttle throttle = new Throttle(1);
        throttle.acquire(1_000_000);
        CountDownLatch through = new CountDownLatch(1);
        Thread waiting = new Thread(() -> {
            try {
                throttle.acquire(1);
                through.countDown();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        waiting.start();
        while (waiting.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        throttle.limit(2);
        assertThat(through.getCount()).isEqualTo(1);
        throttle.limit(0);
        assertThat(through.await(30, TimeUnit.SECONDS)).isTrue();
        assertThatThrownBy(() -> throttle.limit(-1)).isInstanceOf(IllegalArgumentException.class);
    }
}
