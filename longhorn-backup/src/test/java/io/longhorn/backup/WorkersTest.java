package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WorkersTest {

    @Test
    void allPiecesAreDone() throws Exception {
        AtomicInteger left = new AtomicInteger(1000);
        AtomicInteger done = new AtomicInteger();
        AtomicInteger begun = new AtomicInteger();
        Workers.run(
                "test",
                4,
                () -> {
                    begun.incrementAndGet();
                    return () -> left.getAndDecrement() > 0 && done.incrementAndGet() > 0;
                },
                () -> {});
        assertThat(done).hasValue(1000);
        assertThat(begun).hasValue(4);
    }

    @Test
    void theFirstFailureEndsAll() {
        AtomicInteger pieces = new AtomicInteger();
        assertThatThrownBy(() -> Workers.run(
                        "test",
                        3,
                        () -> () -> {
                            if (pieces.incrementAndGet() == 100) {
                                throw new IOException("enough");
                            }
                            return true;
                        },
                        () -> {}))
                .isInstanceOf(IOException.class)
                .hasMessage("enough");
    }

    @Test
    void whoWatchesCanEndItAndNothingGoesOnBehindHim() {
        CountDownLatch ended = new CountDownLatch(2);
        assertThatThrownBy(() -> Workers.run(
                        "test",
                        2,
                        () -> () -> {
                            try {
                                new CountDownLatch(1).await();
                                return true;
                            } finally {
                                ended.countDown();
                            }
                        },
                        () -> {
                            throw new IllegalStateException("the lock is lost");
                        }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(ended.getCount()).isZero();
    }
}
