package io.longhorn.replica;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskWorker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A replica's metadata, in memory and on disk. One write at a time, each of the newest state, for everybody who changed something before it began. What a failed write should
 * have stored stays wanted, and goes with the next one. Loop only.
 */
final class MetaKeeper {
    /** Told of every write that failed, before those who asked for it. */
    interface FailureListener {
        void couldNotStore(IOException cause);
    }

    private final DiskDirectory directory;
    private final DiskWorker worker;
    private final String replicaDirectory;
    private final FailureListener listener;
    private ReplicaMeta wanted;
    private ReplicaMeta stored;
    private boolean writing;
    private List<DiskWorker.Outcome> waiting = new ArrayList<>();
    private boolean urgent;
    private @Nullable Runnable whenClosed;

    MetaKeeper(
            DiskDirectory directory,
            DiskWorker worker,
            String replicaDirectory,
            ReplicaMeta stored,
            FailureListener listener) {
        this.directory = directory;
        this.worker = worker;
        this.replicaDirectory = replicaDirectory;
        this.listener = listener;
        this.wanted = stored;
        this.stored = stored;
    }

    /** What the replica goes by: it may not be on disk yet. */
    ReplicaMeta wanted() {
        return wanted;
    }

    /** What a restart would find at least. */
    ReplicaMeta stored() {
        return stored;
    }

    /** What a start wrote by itself, before anything else does. */
    void recovered(ReplicaMeta written) {
        wanted = written;
        stored = written;
    }

    /** Changes what is wanted, to be stored with the next write. */
    void change(ReplicaMeta changed) {
        wanted = changed;
    }

    /**
     * Stores what is wanted now; {@code outcome} is told on the loop.
     *
     * @param isUrgent somebody waits for it: not behind checkpoints
     */
    void store(boolean isUrgent, DiskWorker.Outcome outcome) {
        if (whenClosed != null) {
            return;
        }
        waiting.add(outcome);
        urgent |= isUrgent;
        if (!writing) {
            write();
        }
    }

    private void write() {
        writing = true;
        ReplicaMeta written = wanted;
        List<DiskWorker.Outcome> served = waiting;
        waiting = new ArrayList<>();
        DiskWorker.Lane lane = urgent ? DiskWorker.Lane.JOURNAL_SYNC : DiskWorker.Lane.CHECKPOINT;
        urgent = false;
        worker.run(
                lane, () -> written.write(directory, replicaDirectory), failure -> written(written, served, failure));
    }

    private void written(ReplicaMeta meta, List<DiskWorker.Outcome> served, @Nullable IOException failure) {
        writing = false;
        if (failure == null) {
            stored = meta;
        }
        Runnable closed = whenClosed;
        if (closed != null) {
            closed.run();
            return;
        }
        if (failure != null) {
            listener.couldNotStore(failure);
        }
        if (!waiting.isEmpty()) {
            write();
        }
        for (DiskWorker.Outcome outcome : served) {
            outcome.done(failure);
        }
    }

    /** Writes nothing any more, tells nobody any more, and runs {@code task} when no write is under way. */
    void close(Runnable task) {
        whenClosed = () -> {};
        waiting.clear();
        if (writing) {
            whenClosed = task;
        } else {
            task.run();
        }
    }
}
