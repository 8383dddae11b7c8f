package io.longhorn;

/** Told how far a long operation is. */
@FunctionalInterface
public interface ProgressListener {

    /**
     * Called on the thread that runs the operation, at most a few times a second and once at the end. What it throws ends
     * the operation and reaches the operation's caller.
     *
     * @param doneBytes how much of the total is done, never less than before
     * @param totalBytes the total as known now
     */
    void progress(long doneBytes, long totalBytes);

    /** Listens to nothing. */
    static ProgressListener none() {
        return (doneBytes, totalBytes) -> {};
    }
}
