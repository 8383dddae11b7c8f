package io.longhorn.replica.wire;

/** Fields of {@link StructureOperation}s, in the order of {@code docs/format/wire.md}, section 4. */
final class StructureCodec {
    private StructureCodec() {}

    static void write(BodyWriter w, StructureOperation operation) {
        switch (operation.type()) {
            case SNAPSHOT -> {
                StructureOperation.CreateSnapshot o = (StructureOperation.CreateSnapshot) operation;
                w.name("snapshot name", o.name())
                        .bool(o.userMade())
                        .i64(o.createdAtMillis())
                        .labels(o.labels());
            }
            case SNAPSHOT_DELETE -> w.layerId(((StructureOperation.DeleteSnapshot) operation).snapshot());
            case REVERT -> w.layerId(((StructureOperation.Revert) operation).snapshot());
            case EXPAND -> w.natural("size", ((StructureOperation.Expand) operation).sizeBytes());
            case VIEW -> {
                StructureOperation.ViewChange o = (StructureOperation.ViewChange) operation;
                w.natural("record version", o.recordVersion())
                        .list("members", o.members(), WireLimits.MEMBERS_MAX, BodyWriter::uuid);
            }
            case EPOCH_START -> {
                StructureOperation.BeginEpoch o = (StructureOperation.BeginEpoch) operation;
                w.uuid(o.engineId())
                        .natural("record version", o.recordVersion())
                        .list("members", o.members(), WireLimits.MEMBERS_MAX, BodyWriter::uuid);
            }
            default -> throw new IllegalArgumentException(operation.type() + " is no structural record");
        }
    }

    static StructureOperation read(BodyReader r, FrameType type) {
        return switch (type) {
            case SNAPSHOT ->
                new StructureOperation.CreateSnapshot(
                        r.name("snapshot name"), r.bool("user made"), r.i64("created at"), r.labels());
            case SNAPSHOT_DELETE -> new StructureOperation.DeleteSnapshot(r.layerId("snapshot"));
            case REVERT -> new StructureOperation.Revert(r.layerId("snapshot"));
            case EXPAND -> new StructureOperation.Expand(r.natural("size"));
            case VIEW ->
                new StructureOperation.ViewChange(
                        r.natural("record version"), r.list("members", WireLimits.MEMBERS_MAX, m -> m.uuid("member")));
            case EPOCH_START ->
                new StructureOperation.BeginEpoch(
                        r.uuid("engine id"),
                        r.natural("record version"),
                        r.list("members", WireLimits.MEMBERS_MAX, m -> m.uuid("member")));
            default -> throw WireErrors.badField("frame type", type.code(), "a structural record's");
        };
    }
}
