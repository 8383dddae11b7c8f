package io.longhorn.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.OutOfRangeException;
import io.longhorn.QueueFullException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DeviceQueueTest {

    private final List<CompletableFuture<Integer>> started = new ArrayList<>();

    @Test
    void operationsBeyondTheLimitWaitInOrder() {
        DeviceQueue queue = new DeviceQueue(2);
        List<CompletionStage<Integer>> results = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            results.add(queue.run(this::operation));
        }
        assertThat(started).hasSize(2);
        started.get(1).complete(1);
        assertThat(results.get(1)).isCompletedWithValue(1);
        assertThat(started).hasSize(3);
        for (int i = 0; i < started.size(); i++) {
            started.get(i).complete(i);
        }
        assertThat(started).hasSize(5);
        assertThat(results.get(4)).isCompletedWithValue(4);
    }

    @Test
    void failureGivesThePlaceBack() {
        DeviceQueue queue = new DeviceQueue(1);
        CompletionStage<Integer> first = queue.run(this::operation);
        CompletionStage<Integer> refused = queue.run(() -> {
            throw new OutOfRangeException(1, 2, 3);
        });
        CompletionStage<Integer> last = queue.run(this::operation);
        started.get(0).completeExceptionally(new IllegalStateException("broken"));
        assertThatThrownBy(() -> first.toCompletableFuture().join()).hasCauseInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> refused.toCompletableFuture().join()).hasCauseInstanceOf(OutOfRangeException.class);
        started.get(1).complete(7);
        assertThat(last).isCompletedWithValue(7);
    }

    @Test
    void operationsThatEndAtOnceNeedNoStack() {
        DeviceQueue queue = new DeviceQueue(1);
        CompletionStage<Integer> first = queue.run(this::operation);
        AtomicInteger ended = new AtomicInteger();
        for (int i = 0; i < 100_000; i++) {
            queue.run(() -> CompletableFuture.completedFuture(ended.incrementAndGet()));
        }
        assertThat(ended).hasValue(0);
        started.get(0).complete(0);
        assertThat(first).isCompleted();
        assertThat(ended).hasValue(100_000);
    }

    @Test
    void operationThatFindsTheVolumeFullIsTriedAgain() {
        AtomicInteger tries = new AtomicInteger();
        CompletionStage<Integer> result = new DeviceQueue(1)
                .run(() -> tries.incrementAndGet() < 3
                        ? CompletableFuture.failedFuture(new QueueFullException("v", 1))
                        : CompletableFuture.completedFuture(tries.get()));
        assertThat(result.toCompletableFuture().join()).isEqualTo(3);
    }

    private CompletionStage<Integer> operation() {
        CompletableFuture<Integer> future = new CompletableFuture<>();
        started.add(future);
        return future;
    }
}
