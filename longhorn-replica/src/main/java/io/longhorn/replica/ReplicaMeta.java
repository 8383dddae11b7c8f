package io.longhorn.replica;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskMeta;
import io.longhorn.replica.disk.FieldReader;
import io.longhorn.replica.disk.FileKind;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
 * @param certainSequence records beyond it may have been lost with the power of the host; {@link #CERTAIN} if the replica is not uncertain
 * @param damaged records that were durable are lost; the replica must be rebuilt
 * @param mixed a rebuild is under way
 * @param history oldest first, at most {@link Message#HISTORY_MAX}
 * @param layers every parent is in the list; exactly one layer is the head (frozen sequence 0)
 */
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
        long certainSequence,
        boolean damaged,
        @Nullable Mixed mixed,
        List<Message.EpochStart> history,
        List<Message.Layer> layers) {
    static final String FILE = "replica.meta";
    /** Directory of the disk that holds a directory per replica. */
    static final String DIRECTORY = "replicas";

    static final long CERTAIN = -1;

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
        require(slot >= DiskMeta.FIRST_SLOT, "slot is ", slot);
        require(sizeBytes > 0 && sizeBytes % FrameLayout.BLOCK_BYTES == 0, "size in bytes is ", sizeBytes);
        require(promised.epoch() >= 0, "promised epoch is ", promised.epoch());
        require(promised.recordVersion() >= 0, "record version is ", promised.recordVersion());
        require(checkpointedSequence >= 0, "checkpointed sequence is ", checkpointedSequence);
        require(
                committedSequence >= checkpointedSequence,
                "checkpointed, but committed only up to ",
                committedSequence);
        require(certainSequence >= CERTAIN, "certain sequence is ", certainSequence);
        require(history.size() <= Message.HISTORY_MAX, "epochs in history: ", history.size());
        checkHistory(history);
        checkLayers(layers);
    }

    private static void checkHistory(List<Message.EpochStart> history) {
        Message.EpochStart last = new Message.EpochStart(0, 0);
        for (Message.EpochStart start : history) {
            require(
                    start.epoch() > last.epoch() && start.startSequence() > last.startSequence(),
                    "history does not ascend at epoch ",
                    start.epoch());
            last = start;
        }
    }

    private static void checkLayers(List<Message.Layer> layers) {
        Set<LayerId> ids = new HashSet<>();
        int heads = 0;
        for (Message.Layer layer : layers) {
            require(!layer.id().isLive() && ids.add(layer.id()), "a layer without id, or twice: ", layer.id());
            require(
                    layer.parent().isLive()
                            || layer.parent().sequence() < layer.id().sequence(),
                    "a parent younger than its layer ",
                    layer.id());
            require(
                    layer.frozenSequence() == 0
                            || layer.frozenSequence() > layer.id().sequence(),
                    "frozen before it began: layer ",
                    layer.id());
            heads += layer.frozenSequence() == 0 ? 1 : 0;
        }
        require(heads == 1, "heads: ", heads);
        for (Message.Layer layer : layers) {
            require(layer.parent().isLive() || ids.contains(layer.parent()), "missing parent ", layer.parent());
        }
    }

    private static void require(boolean holds, String otherwise, Object value) {
        if (!holds) {
            throw new IllegalArgumentException("replica metadata: " + otherwise + value);
        }
    }

    /** A replica without any record: one empty layer, {@link LayerId#ROOT}. */
    static ReplicaMeta create(
            UUID replicaId, int slot, UUID volumeId, String volumeName, UUID clusterId, long sizeBytes) {
        Message.Layer head =
                new Message.Layer(LayerId.ROOT, LayerId.LIVE, 0, "", false, false, 0, sizeBytes, 0, Map.of());
        return new ReplicaMeta(
                replicaId,
                slot,
                volumeId,
                volumeName,
                clusterId,
                sizeBytes,
                Promise.NONE,
                0,
                0,
                CERTAIN,
                false,
                null,
                List.of(),
                List.of(head));
    }

    /** Name of a replica's directory; characters that a file name should not have become {@code _}. */
    static String directoryName(String volumeName, UUID replicaId) {
        String plain = volumeName.replaceAll("[^A-Za-z0-9_.-]", "_");
        long first = replicaId.getMostSignificantBits() >>> 32;
        return plain.substring(0, Math.min(plain.length(), 64)) + "-" + String.format(Locale.ROOT, "%08x", first);
    }

    /** Reads the file in the replica's directory (with its path on the disk); for the conditions see {@link MetadataFile#read}. */
    static ReplicaMeta read(DiskDirectory directory, String replicaDirectory) throws IOException {
        String name = replicaDirectory + "/" + FILE;
        MetadataFile file = MetadataFile.read(directory, name, FileKind.REPLICA, null);
        return ReplicaMetaCodec.decode(new FieldReader(MetadataFile.path(directory, name), file), file.owner());
    }

    /** Replaces the file, durably. Any thread. */
    void write(DiskDirectory directory, String replicaDirectory) throws IOException {
        MetadataFile.replace(
                directory,
                replicaDirectory + "/" + FILE,
                FileKind.REPLICA,
                replicaId,
                ReplicaMetaCodec.encode(this).written());
    }

    /** A copy to change. */
    ReplicaMetaBuilder change() {
        return new ReplicaMetaBuilder(this);
    }

    boolean uncertain() {
        return certainSequence != CERTAIN;
    }

    /** Epoch of the record with that sequence, by the history; 0 if the history begins later or is empty. */
    long epochAt(long sequence) {
        long epoch = 0;
        for (Message.EpochStart start : history) {
            if (start.startSequence() <= sequence) {
                epoch = start.epoch();
            }
        }
        return epoch;
    }

    /** The layer that takes writes. */
    Message.Layer head() {
        return layers.stream()
                .filter(layer -> layer.frozenSequence() == 0)
                .findFirst()
                .orElseThrow();
    }
}
