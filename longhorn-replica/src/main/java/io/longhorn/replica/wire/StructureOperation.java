package io.longhorn.replica.wire;

import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Body of a record that changes a volume's structure; encoded behind {@link RecordLayout#TABLE_OFFSET} by {@link MessageCodec}. */
public sealed interface StructureOperation {

    FrameType type();

    /** The head becomes a snapshot; a new head begins, whose id is this record's epoch and sequence. */
    record CreateSnapshot(String name, boolean userMade, long createdAtMillis, Map<String, String> labels)
            implements StructureOperation {
        public CreateSnapshot {
            labels = Map.copyOf(labels);
        }

        @Override
        public FrameType type() {
            return FrameType.SNAPSHOT;
        }
    }

    /** The snapshot is gone for readers; its blocks go when no child needs them. */
    record DeleteSnapshot(LayerId snapshot) implements StructureOperation {
        @Override
        public FrameType type() {
            return FrameType.SNAPSHOT_DELETE;
        }
    }

    /** The head is dropped; a new one begins over the snapshot. */
    record Revert(LayerId snapshot) implements StructureOperation {
        @Override
        public FrameType type() {
            return FrameType.REVERT;
        }
    }

    record Expand(long sizeBytes) implements StructureOperation {
        @Override
        public FrameType type() {
            return FrameType.EXPAND;
        }
    }

    /** The registry's view from this point of the history on. */
    record ViewChange(long recordVersion, List<UUID> members) implements StructureOperation {
        public ViewChange {
            members = List.copyOf(members);
        }

        @Override
        public FrameType type() {
            return FrameType.VIEW;
        }
    }

    /** First record of an epoch. */
    record BeginEpoch(UUID engineId, long recordVersion, List<UUID> members) implements StructureOperation {
        public BeginEpoch {
            members = List.copyOf(members);
        }

        @Override
        public FrameType type() {
            return FrameType.EPOCH_START;
        }
    }
}
