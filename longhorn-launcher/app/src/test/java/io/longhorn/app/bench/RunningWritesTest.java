package io.longhorn.app.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Volume;
import io.longhorn.VolumeClosedException;
import io.longhorn.app.CommandFailure;
import java.lang.reflect.Proxy;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class RunningWritesTest {

    private final Queue<CompletableFuture<Void>> inFlight = new ConcurrentLinkedQueue<>();

    @Test
    void aStretchThatEndsWithACompletionHoldsAtLeastOneAndThePauseBeforeIt() throws Exception {
        // Never closed: nothing but what is in flight belongs to it, and that the test holds.
        RunningWrites writes = RunningWrites.start(volume(), 1);
        assertThat(writes.takeStretch().completed()).isZero();

        CompletableFuture<RunningWrites.Stretch> taken = new CompletableFuture<>();
        Thread taker = new Thread(() -> {
            try {
                taken.complete(writes.takeStretchToNextCompletion());
            } catch (InterruptedException | RuntimeException e) {
                taken.completeExceptionally(e);
            }
        });
        taker.start();
        while (taker.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        assertThat(taken).isNotDone();

        inFlight.remove().complete(null);
        RunningWrites.Stretch stretch = taken.get();
        assertThat(stretch.completed()).isPositive();
        assertThat(stretch.longestPauseNanos()).isPositive().isLessThanOrEqualTo(stretch.nanos());
    }

    @Test
    void whoWaitsForACompletionHearsWhatTheWritesFailedWith() {
        RunningWrites writes = RunningWrites.start(volume(), 1);
        inFlight.remove().completeExceptionally(new VolumeClosedException("written"));

        assertThatThrownBy(writes::takeStretchToNextCompletion)
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("a write to volume written failed");
    }

    /** One whose writes are completed by the test. */
    private Volume volume() {
        return (Volume) Proxy.newProxyInstance(
                Volume.class.getClassLoader(), new Class<?>[] {Volume.class}, (proxy, method, arguments) -> {
                    return switch (method.getName()) {
                        case "name" -> "written";
                        case "sizeBytes" -> (long) Volume.BLOCK_BYTES;
                        case "writeAsync" -> write();
                        default -> throw new UnsupportedOperationException(method.getName());
                    };
                });
    }

    private CompletableFuture<Void> write() {
        CompletableFuture<Void> write = new CompletableFuture<>();
        inFlight.add(write);
        return write;
    }
}
