package io.longhorn.replica.server;

import io.longhorn.replica.DiskDirectory;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message.EpochStart;
import io.longhorn.replica.wire.Message.Layer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What {@code replica.meta} holds: the replica as of its checkpointed sequence; newer records in the journal are applied on top. See
 * {@code docs/format}.
 *
 * @param slot number of the replica on its disk, as the journal's records carry it
 * @param promisedEpoch no older epoch is served; {@code promisedEngine} is the only engine of that epoch
 * @param recordVersion newest registry record version an engine showed
 * @param lastEpoch epoch of the record with the checkpointed sequence
 * @param journalFloor records of this slot at earlier journal positions are void
 * @param mixed a rebuild is under way from {@code commonSequence}
 */
record ReplicaMeta(
        UUID clusterId,
        UUID volumeId,
        String volumeName,
        UUID replicaId,
        int slot,
        long sizeBytes,
        long promisedEpoch,
        UUID promisedEngine,
        long recordVersion,
        long checkpointed,
        long lastEpoch,
        long committed,
        long journalFloor,
        boolean mixed,
        long commonSequence,
        long baseSequence,
        boolean uncertain,
        List<EpochStart> history,
        List<Layer> layers) {

    static final String NAME = "replica.meta";
    private static final int VERSION = 1;
    private static final int LAYERS_MAX = 4096;
    private static final int HISTORY_MAX = 4096;
    private static final int LABELS_MAX = 1024;

    ReplicaMeta {
        history = List.copyOf(history);
        layers = List.copyOf(layers);
    }

    void write(DiskDirectory disk, String directory) throws IOException {
        MetadataFile.Writer w = new MetadataFile.Writer()
                .uuid(clusterId)
                .uuid(volumeId)
                .text(volumeName)
                .uuid(replicaId)
                .i32(slot)
                .i64(sizeBytes)
                .i64(promisedEpoch)
                .uuid(promisedEngine)
                .i64(recordVersion)
                .i64(checkpointed)
                .i64(lastEpoch)
                .i64(committed)
                .i64(journalFloor)
                .u8(mixed ? 1 : 0)
                .i64(commonSequence)
                .i64(baseSequence)
                .u8(uncertain ? 1 : 0)
                // Reserved for the id of an encryption key; zero: not encrypted.
                .i32(0)
                .i32(history.size());
        for (EpochStart start : history) {
            w.i64(start.epoch()).i64(start.startSequence());
        }
        w.i32(layers.size());
        for (Layer layer : layers) {
            writeLayer(w, layer);
        }
        MetadataFile.write(disk, directory, NAME, MetadataFile.Format.REPLICA, VERSION, w);
    }

    private static void writeLayer(MetadataFile.Writer w, Layer layer) {
        w.i64(layer.id().epoch())
                .i64(layer.id().sequence())
                .i64(layer.parent().epoch())
                .i64(layer.parent().sequence())
                .i64(layer.frozenSequence())
                .text(layer.name())
                .u8(layer.userMade() ? 1 : 0)
                .u8(layer.removed() ? 1 : 0)
                .i64(layer.createdAtMillis())
                .i64(layer.sizeBytes())
                .i64(layer.dataBytes())
                .i32(layer.labels().size());
        new TreeMap<>(layer.labels()).forEach((key, value) -> w.text(key).text(value));
    }

    static ReplicaMeta read(DiskDirectory disk, String directory) throws IOException {
        return MetadataFile.read(
                disk, directory + "/" + NAME, MetadataFile.Format.REPLICA, VERSION, VERSION, ReplicaMeta::decode);
    }

    private static ReplicaMeta decode(MetadataFile.Reader r) {
        UUID clusterId = r.uuid();
        UUID volumeId = r.uuid();
        String volumeName = r.text();
        UUID replicaId = r.uuid();
        int slot = r.i32();
        long sizeBytes = r.i64();
        long promisedEpoch = r.i64();
        UUID promisedEngine = r.uuid();
        long recordVersion = r.i64();
        long checkpointed = r.i64();
        long lastEpoch = r.i64();
        long committed = r.i64();
        long journalFloor = r.i64();
        boolean mixed = r.u8() != 0;
        long common = r.i64();
        long base = r.i64();
        boolean uncertain = r.u8() != 0;
        int keyId = r.i32();
        if (keyId != 0) {
            throw r.damaged("encryption key id " + keyId + ", which this version cannot use");
        }
        List<EpochStart> history = new ArrayList<>();
        for (int i = r.count(HISTORY_MAX); i > 0; i--) {
            history.add(new EpochStart(r.i64(), r.i64()));
        }
        List<Layer> layers = new ArrayList<>();
        for (int i = r.count(LAYERS_MAX); i > 0; i--) {
            layers.add(readLayer(r));
        }
        return new ReplicaMeta(
                clusterId,
                volumeId,
                volumeName,
                replicaId,
                slot,
                sizeBytes,
                promisedEpoch,
                promisedEngine,
                recordVersion,
                checkpointed,
                lastEpoch,
                committed,
                journalFloor,
                mixed,
                common,
                base,
                uncertain,
                history,
                layers);
    }

    private static Layer readLayer(MetadataFile.Reader r) {
        LayerId id = new LayerId(r.i64(), r.i64());
        LayerId parent = new LayerId(r.i64(), r.i64());
        long frozen = r.i64();
        String name = r.text();
        boolean userMade = r.u8() != 0;
        boolean removed = r.u8() != 0;
        long createdAt = r.i64();
        long size = r.i64();
        long dataBytes = r.i64();
        Map<String, String> labels = new HashMap<>();
        for (int i = r.count(LABELS_MAX); i > 0; i--) {
            labels.put(r.text(), r.text());
        }
        return new Layer(id, parent, frozen, name, userMade, removed, createdAt, size, dataBytes, labels);
    }
}
