package io.longhorn.app.bench;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Operations one after the other, one in flight at a time: each is issued on the thread that completed the one before, so
 * that nothing is handed over. What it calls runs on one thread at a time; completion hands over.
 */
final class BackToBack {

    private static final int ISSUING = 0;
    private static final int IN_FLIGHT = 1;
    private static final int COMPLETED = 2;

    private final BooleanSupplier more;
    private final Supplier<CompletionStage<Void>> issue;
    private final Runnable completed;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final AtomicInteger state = new AtomicInteger();

    /**
     * Issues nothing yet.
     *
     * @param more asked before each operation whether there shall be one
     * @param issue begins the next operation
     * @param completed called after each operation
     */
    BackToBack(BooleanSupplier more, Supplier<CompletionStage<Void>> issue, Runnable completed) {
        this.more = more;
        this.issue = issue;
        this.completed = completed;
    }

    /** Begins, once. */
    void start() {
        try {
            issueUntilInFlight();
        } catch (Throwable e) {
            // Refused at once; on the thread of a completion nobody else would hear of it.
            ended.completeExceptionally(e);
        }
    }

    /** Completes when there shall be no more, or with the first failure. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    /** A loop, not a recursion, for operations that complete before the call returns. */
    private void issueUntilInFlight() {
        do {
            if (!more.getAsBoolean()) {
                ended.complete(null);
                return;
            }
            state.set(ISSUING);
            CompletionStage<Void> unused = issue.get().whenComplete(this::complete);
        } while (!state.compareAndSet(ISSUING, IN_FLIGHT));
    }

    private void complete(@Nullable Void nothing, @Nullable Throwable failure) {
        if (failure != null) {
            ended.completeExceptionally(failure);
            return;
        }
        completed.run();
        if (!state.compareAndSet(ISSUING, COMPLETED)) {
            start();
        }
    }
}
