package io.longhorn.frontend;

import io.longhorn.QueueFullException;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a bounded number of operations go to a volume at once; the others wait in order. What waits is bounded by what the clients of the frontends may have in flight. Others
 * may use the volume as well: an operation that finds its queue full for that reason is tried again a moment later. Any thread.
 */
final class DeviceQueue {

    private static final long RETRY_MILLIS = 1;

    private final Executor later = CompletableFuture.delayedExecutor(RETRY_MILLIS, TimeUnit.MILLISECONDS);
    private final Queue<Turn<?>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger places;

    /** How often {@link #startWaiting} was asked for since the one who runs it looked last; 0 while nobody runs it. */
    private final AtomicInteger asked = new AtomicInteger();

    DeviceQueue(int inFlightMax) {
        if (inFlightMax < 1) {
            throw new IllegalArgumentException("inFlightMax must be 1 or more, was " + inFlightMax);
        }
        places = new AtomicInteger(inFlightMax);
    }

    /** Runs the operation when it is its turn. What the operation throws, the stage fails with. */
    <T extends @Nullable Object> CompletionStage<T> run(Supplier<CompletionStage<T>> operation) {
        Turn<T> turn = new Turn<>(operation);
        if (waiting.isEmpty() && takePlace()) {
            turn.start();
        } else {
            waiting.add(turn);
            startWaiting();
        }
        return turn;
    }

    private boolean takePlace() {
        int free;
        do {
            free = places.get();
            if (free == 0) {
                return false;
            }
        } while (!places.compareAndSet(free, free - 1));
        return true;
    }

    private void giveBackPlace() {
        places.incrementAndGet();
        startWaiting();
    }

    /** A loop instead of recursion, since an operation may end while it is started. */
    private void startWaiting() {
        if (asked.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            while (!waiting.isEmpty() && takePlace()) {
                Turn<?> next = waiting.poll();
                if (next == null) {
                    places.incrementAndGet();
                    break;
                }
                next.start();
            }
            seen = asked.addAndGet(-seen);
        } while (seen != 0);
    }

    private final class Turn<T extends @Nullable Object> extends CompletableFuture<T>
            implements BiConsumer<T, @Nullable Throwable> {

        private final Supplier<CompletionStage<T>> operation;

        Turn(Supplier<CompletionStage<T>> operation) {
            this.operation = operation;
        }

        void start() {
            CompletionStage<T> stage;
            try {
                stage = operation.get();
            } catch (RuntimeException e) {
                end(null, e);
                return;
            }
            var unused = stage.whenComplete(this);
        }

        @Override
        public void accept(T result, @Nullable Throwable failure) {
            end(
                    result,
                    failure instanceof CompletionException wrapped && wrapped.getCause() != null
                            ? wrapped.getCause()
                            : failure);
        }

        private void end(@Nullable T result, @Nullable Throwable failure) {
            if (failure instanceof QueueFullException) {
                later.execute(this::start);
                return;
            }
            giveBackPlace();
            if (failure == null) {
                complete(result);
            } else {
                completeExceptionally(failure);
            }
        }
    }
}
