package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.TimeLimitException;
import io.longhorn.replica.wire.Loop;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Brings callers' threads and the engine's loop together: runs a call on the loop, and lets a thread wait for a stage without being cut short by an
 * interrupt, which is there again afterwards.
 */
final class Calls {
    private Calls() {}

    /** Runs {@code work} on the loop; it completes the stage, or what it throws does. */
    static <T> CompletableFuture<T> onLoop(Loop loop, Consumer<CompletableFuture<T>> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                work.accept(result);
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    /** A completion that ends the stage with {@code value}. */
    static <T> Completion completing(CompletableFuture<T> result, T value) {
        return failure -> {
            if (failure == null) {
                result.complete(value);
            } else {
                result.completeExceptionally(failure);
            }
        };
    }

    /** A completion that ends a stage without a value. */
    static Completion ending(CompletableFuture<Void> result) {
        return failure -> {
            if (failure == null) {
                result.complete(null);
            } else {
                result.completeExceptionally(failure);
            }
        };
    }

    /**
     * Waits for the stage.
     *
     * @throws TimeLimitException if it does not end in time; what it stands for may still happen
     * @throws IllegalStateException if called on the loop, which would wait for itself
     */
    static <T> T await(Loop loop, CompletionStage<T> stage, String subject, String operation, Duration limit) {
        if (loop.inLoop()) {
            throw new IllegalStateException(
                    operation + " blocks, and was called on the thread that completes it; use the asynchronous method");
        }
        CompletableFuture<T> future = stage.toCompletableFuture();
        long deadline = System.nanoTime() + limit.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (TimeoutException e) {
                    throw new TimeLimitException(subject, operation, limit);
                } catch (ExecutionException e) {
                    throw unwrapped(e.getCause() == null ? e : e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static RuntimeException unwrapped(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof LonghornException longhorn) {
            return longhorn;
        }
        if (cause instanceof RuntimeException runtime) {
            return runtime;
        }
        return new IllegalStateException(cause);
    }
}
