package io.longhorn.backup;

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
}
