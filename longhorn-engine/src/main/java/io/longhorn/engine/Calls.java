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

    /** Runs {@code work} on the loop, perhaps before this returns; there it completes the stage sooner or later, or what it throws does. */
    static <T> CompletableFuture<T> onLoop(Loop loop, Consumer<CompletableFuture<T>> work) {
        Expected<T> result = new Expected<>(loop);
        loop.executePromptly(() -> {
            result.begin();
            try {
                work.accept(result);
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    /** The answer to a call for which nobody runs the loop while waiting: until it is there, the loop's own thread must watch for it. */
    private static final class Expected<T> extends CompletableFuture<T> {
        private final Loop loop;
        private boolean isExpected;

        Expected(Loop loop) {
            this.loop = loop;
        }

        void begin() {
            isExpected = true;
            loop.expectInput(1);
        }

        @Override
        public boolean complete(T value) {
            arrived();
            return super.complete(value);
        }

        @Override
        public boolean completeExceptionally(Throwable failure) {
            arrived();
            return super.completeExceptionally(failure);
        }

        /** A caller that has the stage may complete it too, anywhere and before it is: that is no answer. */
        private void arrived() {
            if (loop.inLoop() && isExpected) {
                isExpected = false;
                loop.expectInput(-1);
            }
        }
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
            throw blocksItself(operation);
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

    static IllegalStateException blocksItself(String operation) {
        return new IllegalStateException(
                operation + " blocks, and was called on the thread that completes it; use the asynchronous method");
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
