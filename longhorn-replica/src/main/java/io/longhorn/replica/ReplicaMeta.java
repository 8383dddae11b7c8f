package io.longhorn.replica;

import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * {@code replica.meta}: what a replica knows beside its blocks; see {@code docs/format/replica.md}, section 2.
 *
 * @param slot names the replica in the records of this disk's journal
 * @param clusterId the registry the replica belongs to
 * @param promised everything older is refused
 * @param checkpointedSequence every record up to here is in the layers, durably; the journal is read from the next one on
 * @param committedSequence known committed when this was written; never less than checkpointed
 * @param generation checkpoints finished; map pages of a later one may be torn ({@link BlockMap})
 * @param certainSequence records beyond it may have been lost with the power of the host; -1 if the replica is not uncertain
 * @param damaged records that were durable are lost; the replica must be rebuilt
 * @param mixed a rebuild is under way
 * @param history oldest first, at most {@link Message#HISTORY_MAX}
 * @param layers parents before children; exactly one is the head (frozen sequence 0)
 */
@SuppressWarnings("DoNotCallSuggester")
record ReplicaMeta(
        UUID replicaId,
        int slot,
        UUID volumeId,
        String volumeName,
        UUID clusterId,
        long sizeBytes,
        Promise promised,
        long checkpointedSequence,
        long committedSequence,
        long generation,
        long certainSequence,
        boolean damaged,
        @Nullable Mixed mixed,
        List<Message.EpochStart> history,
        List<Message.Layer> layers) {
    static final String FILE = "replica.meta";

    /** The newest epoch that fenced the replica, by which engine, and the version of the registry's record that said so. */
    record Promise(long epoch, UUID engineId, long recordVersion) {
        static final Promise NONE = new Promise(0, new UUID(0, 0), 0);
    }

    /**
     * The content is that of no moment: blocks up to {@code commonSequence} are trusted, copies of {@code session} may have replaced some, records go on
     * behind {@code baseSequence}.
     */
    record Mixed(long session, long commonSequence, long baseSequence) {}

    ReplicaMeta {
        history = List.copyOf(history);
        layers = List.copyOf(layers);
    }

    /** A replica without any record: one empty layer, {@link LayerId#ROOT}. */
    static ReplicaMeta create(
            UUID replicaId, int slot, UUID volumeId, String volumeName, UUID clusterId, long sizeBytes) {
        throw new UnsupportedOperationException();
    }

    /** Name of a replica's directory; characters that a file name should not have become {@code _}. */
    static String directoryName(String volumeName, UUID replicaId) {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads {@code replicaDirectory/replica.meta}; for the conditions see {@link MetadataFile#read}. The volume's name in the path does not matter.
     */
    static ReplicaMeta read(DiskDirectory directory, String replicaDirectory) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Replaces the file, durably. Any thread. */
    void write(DiskDirectory directory, String replicaDirectory) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** A copy to change. */
    ReplicaMetaBuilder change() {
        return new ReplicaMetaBuilder(this);
    }

    /** Epoch of the record with that sequence, by the history; 0 if the history begins later or is empty. */
    long epochAt(long sequence) {
        throw new UnsupportedOperationException();
    }
}
