package io.longhorn.replica;

import io.longhorn.replica.disk.FieldReader;
import io.longhorn.replica.disk.FieldWriter;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code replica.meta}; see {@code docs/format/replica.md}, section 2. Field by field:
 *
 * <pre>
 *  slot i32 | flags u32 | volume id | cluster id | size | promised epoch | promised engine id | record version
 *  | checkpointed | committed | certain | mixed: session, common, base | key id | reserved 24
 *  | volume name | history count u16, history | layer count u16, layers
 * </pre>
 */
final class ReplicaMetaCodec {
    private static final int DAMAGED = 1;
    private static final int MIXED = 2;

    private static final int USER_MADE = 1;
    private static final int REMOVED = 2;

    /** Key id of the volume's encryption, then room for what else it needs. */
    private static final int RESERVED_BYTES = 8 + 24;

    private static final int NAME_BYTES_MAX = 255;
    private static final int LABEL_BYTES_MAX = 4096;
    private static final int LAYERS_MAX = 4096;

    private ReplicaMetaCodec() {}

    static FieldWriter encode(ReplicaMeta meta) {
        ReplicaMeta.Mixed mixed = meta.mixed();
        FieldWriter w = new FieldWriter()
                .i32(meta.slot())
                .i32((meta.damaged() ? DAMAGED : 0) | (mixed != null ? MIXED : 0))
                .uuid(meta.volumeId())
                .uuid(meta.clusterId())
                .i64(meta.sizeBytes())
                .i64(meta.promised().epoch())
                .uuid(meta.promised().engineId())
                .i64(meta.promised().recordVersion())
                .i64(meta.checkpointedSequence())
                .i64(meta.committedSequence())
                .i64(meta.certainSequence())
                .i64(mixed == null ? 0 : mixed.session())
                .i64(mixed == null ? 0 : mixed.commonSequence())
                .i64(mixed == null ? 0 : mixed.baseSequence())
                .zeroes(RESERVED_BYTES)
                .string(meta.volumeName(), NAME_BYTES_MAX);
        w.u16(meta.history().size());
        for (Message.EpochStart start : meta.history()) {
            w.i64(start.epoch()).i64(start.startSequence());
        }
        if (meta.layers().size() > LAYERS_MAX) {
            throw new IllegalArgumentException(meta.layers().size() + " layers, expected at most " + LAYERS_MAX);
        }
        w.u16(meta.layers().size());
        meta.layers().forEach(layer -> encodeLayer(w, layer));
        return w;
    }

    private static void encodeLayer(FieldWriter w, Message.Layer layer) {
        w.layerId(layer.id())
                .layerId(layer.parent())
                .i64(layer.frozenSequence())
                .i64(layer.createdAtMillis())
                .i64(layer.sizeBytes())
                .i64(layer.dataBytes())
                .u8((layer.userMade() ? USER_MADE : 0) | (layer.removed() ? REMOVED : 0))
                .string(layer.name(), NAME_BYTES_MAX)
                .labels(layer.labels(), LABEL_BYTES_MAX);
    }

    static ReplicaMeta decode(FieldReader r, UUID replicaId) {
        int slot = r.i32();
        int flags = r.flags("replica", r.i32(), DAMAGED | MIXED);
        UUID volumeId = r.uuid();
        UUID clusterId = r.uuid();
        long sizeBytes = r.i64();
        ReplicaMeta.Promise promised = new ReplicaMeta.Promise(r.i64(), r.uuid(), r.i64());
        long checkpointed = r.i64();
        long committed = r.i64();
        long certain = r.i64();
        ReplicaMeta.Mixed mixed = mixed(r, (flags & MIXED) != 0);
        r.zeroes(RESERVED_BYTES);
        String volumeName = r.string("volume name");
        List<Message.EpochStart> history = new ArrayList<>();
        for (int i = r.u16(); i > 0; i--) {
            history.add(new Message.EpochStart(r.i64(), r.i64()));
        }
        List<Message.Layer> layers = new ArrayList<>();
        for (int i = r.u16(); i > 0; i--) {
            layers.add(decodeLayer(r));
        }
        r.end();
        try {
            return new ReplicaMeta(
                    replicaId,
                    slot,
                    volumeId,
                    volumeName,
                    clusterId,
                    sizeBytes,
                    promised,
                    checkpointed,
                    committed,
                    certain,
                    (flags & DAMAGED) != 0,
                    mixed,
                    history,
                    layers);
        } catch (IllegalArgumentException e) {
            throw r.damaged(String.valueOf(e.getMessage()));
        }
    }

    private static ReplicaMeta.@Nullable Mixed mixed(FieldReader r, boolean present) {
        ReplicaMeta.Mixed mixed =
                new ReplicaMeta.Mixed(r.i64(), r.natural("common sequence"), r.natural("base sequence"));
        return present ? mixed : null;
    }

    private static Message.Layer decodeLayer(FieldReader r) {
        LayerId id = r.layerId("layer");
        LayerId parent = r.layerId("parent");
        long frozen = r.natural("frozen sequence");
        long createdAt = r.i64();
        long size = r.natural("layer size");
        long data = r.natural("layer data");
        int flags = r.flags("layer", r.u8(), USER_MADE | REMOVED);
        String name = r.string("layer name");
        Map<String, String> labels = r.labels();
        return new Message.Layer(
                id,
                parent,
                frozen,
                name,
                (flags & USER_MADE) != 0,
                (flags & REMOVED) != 0,
                createdAt,
                size,
                data,
                labels);
    }
}
