package io.longhorn;

import java.util.concurrent.CompletionStage;

/**
 * A backup that runs on threads of its own; see {@link Snapshot#startBackup}. It goes on while nobody looks, and ends with the process, its volume, or {@link #cancel()}. What it
 * had sent by then is at the target, and the next backup of the volume does not send it again. Safe for any thread.
 */
public interface BackupOperation {

    /** How far it is. */
    record Progress(long doneBytes, long totalBytes, long sentBytes) {}

    /** The name of the backup that it makes. */
    String name();

    /**
     * How much of what has to be looked at is done, in bytes of the volume, and how many compressed bytes were sent. The total is 0 until it is known; a total of 0 at the end
     * means that nothing had changed.
     */
    Progress progress();

    /**
     * Changes how many bytes may be sent per second, at once; 0 for no limit.
     *
     * @throws IllegalArgumentException if it is negative
     */
    void limit(long bytesPerSecond);

    /** Has it end soon; the completion then fails with {@link java.util.concurrent.CancellationException}, unless it was complete. Returns at once. */
    void cancel();

    /**
     * Ends when the backup is complete and usable, or with the reason why it is not: a {@link LonghornException}, or {@link java.util.concurrent.CancellationException}. Stages
     * run on a thread of the backup.
     */
    CompletionStage<Backup> completion();

    /**
     * Waits for the end.
     *
     * @throws InterruptedException if the waiting thread is interrupted; the backup goes on
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    Backup await() throws InterruptedException;
}
