package io.longhorn.replica.disk;

/**
 * Runs work that may block on a disk (syncs, checkpoint copies, preallocation) away from the loop. Work touches files
 * only, never the state of a state machine; its outcome comes back to the loop.
 *
 * <p>Production has a few threads per disk; the simulator runs the work at a later virtual time, and drops it when the process
 * crashes before.
 */
public interface DiskWorker {

    /** Which queue: works of one lane run one after another in order, lanes run beside each other. */
    enum Lane {
        /** Syncs of the journal; never waits behind other work. */
        JOURNAL_SYNC,
        /** Checkpoints, punching, merging, files made ahead of use. */
        CHECKPOINT,
        /** Scrub and other reading that nobody waits for. */
        BACKGROUND
    }

    /** Runs {@code work}, then calls {@code outcome} on the loop. Loop only. */
    void run(Lane lane, Work work, Outcome outcome);

    /** Something that touches only files. */
    interface Work {
        void run() throws java.io.IOException;
    }

    /** Told on the loop; {@code failure} is null when the work succeeded. */
    interface Outcome {
        void done(java.io.@org.jspecify.annotations.Nullable IOException failure);
    }
}
