package io.longhorn.backup;

import io.longhorn.BackupTargetException;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What callers are thrown. */
final class Failures {
    private Failures() {}

    /** The failure of a stage as a blocking call throws it. */
    static RuntimeException unwrapped(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof RuntimeException runtime ? runtime : new IllegalStateException(cause);
    }

    /** The failure of something done at a target, as a call throws it that does not tell interrupts: the thread's flag is set then. */
    static RuntimeException of(Exception failure, String target) {
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
            CancellationException cancelled = new CancellationException("interrupted");
            cancelled.initCause(failure);
            return cancelled;
        }
        return failure instanceof IOException
                ? new BackupTargetException(target, String.valueOf(failure.getMessage()), failure)
                : unwrapped(failure);
    }
}
