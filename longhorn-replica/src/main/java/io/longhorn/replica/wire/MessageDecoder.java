package io.longhorn.replica.wire;

/** Reads the fields of a {@link Message} in the order of {@code docs/format/wire.md}, section 7. A long table, one case per type. */
final class MessageDecoder {
    private MessageDecoder() {}

    static Message read(BodyReader r, FrameType type) {
        return switch (type) {
            case HELLO ->
                new Message.Hello(
                        r.naturalInt("oldest version"),
                        r.naturalInt("newest version"),
                        r.i64("features"),
                        r.uuid("engine id"),
                        r.uuid("cluster id"),
                        r.string("token", WireLimits.TOKEN_BYTES_MAX));
            case HELLO_OK ->
                new Message.HelloOk(
                        r.naturalInt("version"),
                        r.i64("features"),
                        r.uuid("server id"),
                        r.string("boot id", WireLimits.BOOT_ID_BYTES_MAX),
                        r.naturalInt("disks"),
                        r.naturalInt("replicas"),
                        r.natural("usable bytes"));
            case FENCE ->
                new Message.Fence(
                        r.natural("epoch"),
                        r.uuid("engine id"),
                        r.uuid("cluster id"),
                        r.uuid("volume id"),
                        r.uuid("replica id"),
                        r.natural("record version"));
            case FENCE_OK -> fenceOk(r);
            case CREATE_REPLICA ->
                new Message.CreateReplica(
                        r.natural("epoch"),
                        r.uuid("volume id"),
                        r.name("volume name"),
                        r.uuid("replica id"),
                        r.natural("size"),
                        r.natural("record version"),
                        r.uuid("engine id"));
            case DELETE_REPLICA ->
                new Message.DeleteReplica(r.natural("epoch"), r.uuid("volume id"), r.uuid("replica id"));
            case DONE -> new Message.Done();
            case ERROR ->
                new Message.Failure(
                        r.i32("error code"),
                        r.i64("first"),
                        r.i64("second"),
                        r.string("detail", WireLimits.DETAIL_BYTES_MAX));
            case PING -> new Message.Ping(r.natural("epoch"), r.i64("sent"));
            case PONG -> new Message.Pong(r.natural("epoch"), r.i64("sent"));
            case STATUS -> new Message.Status();
            case STATUS_OK -> statusOk(r);
            case MAP_QUERY ->
                new Message.MapQuery(
                        Message.MapMode.of(r.u8("map mode")),
                        r.layerId("layer"),
                        r.i32("pin"),
                        r.layerId("since"),
                        r.natural("since sequence"),
                        r.natural("from block"),
                        r.natural("to block"));
            case MAP_PAGE ->
                new Message.MapPage(
                        r.atLeast("next block", -1), r.list("runs", Message.MapPage.RUNS_MAX, MessageDecoder::mapRun));
            case RECORDS -> new Message.Records(r.natural("from sequence"), r.naturalInt("most bytes"));
            case RECORDS_OK -> new Message.RecordsOk(r.bool("gone"), r.natural("next sequence"));
            case REBUILD_BEGIN -> rebuildBegin(r);
            case LAYER_READ ->
                new Message.LayerRead(
                        r.layerId("layer"),
                        r.natural("since sequence"),
                        r.natural("from block"),
                        r.natural("to block"),
                        r.list("blocks", WireLimits.LAYER_READ_BLOCKS_MAX, element -> element.natural("block")));
            case REBUILD_PROGRESS ->
                new Message.RebuildProgress(r.i64("session"), r.naturalInt("installed"), r.naturalInt("skipped"));
            case REBUILD_END -> new Message.RebuildEnd(r.i64("session"), r.natural("through sequence"));
            case JOINED -> new Message.Joined(r.i64("session"), r.natural("record version"));
            case REPAIR ->
                new Message.Repair(
                        r.layerId("layer"),
                        r.natural("block"),
                        r.natural("sequence"),
                        r.i32("CRC"),
                        r.bytes("data", FrameLayout.BLOCK_BYTES));
            case PIN -> new Message.Pin(r.i32("pin"), r.layerId("layer"));
            case UNPIN -> new Message.Unpin(r.i32("pin"));
            case DAMAGE ->
                new Message.Damage(r.layerId("layer"), r.natural("block"), r.natural("sequence"), r.i32("CRC"));
            case LIST_REPLICAS -> new Message.ListReplicas();
            case LIST_REPLICAS_OK ->
                new Message.ListReplicasOk(r.list("replicas", WireLimits.REPLICAS_MAX, MessageDecoder::replicaInfo));
            case CLOSE_VOLUME -> new Message.CloseVolume(r.natural("epoch"), r.natural("committed"));
            default -> throw WireErrors.badField("frame type", type.code(), "a control message's");
        };
    }

    private static Message.FenceOk fenceOk(BodyReader r) {
        return new Message.FenceOk(
                r.natural("promised epoch"),
                r.natural("last epoch"),
                r.natural("last sequence"),
                r.natural("journaled"),
                r.natural("durable"),
                r.natural("committed"),
                r.bool("uncertain"),
                r.bool("mixed"),
                r.natural("common sequence"),
                r.natural("size"),
                r.natural("credit"),
                r.atLeast("quiet time", -1),
                r.list("epochs", Message.HISTORY_MAX, MessageDecoder::epochStart));
    }

    private static Message.StatusOk statusOk(BodyReader r) {
        return new Message.StatusOk(
                r.natural("size"),
                r.natural("last sequence"),
                r.natural("committed"),
                r.natural("checkpointed"),
                r.natural("allocated bytes"),
                r.natural("damaged blocks"),
                r.list("layers", WireLimits.LAYERS_MAX, MessageDecoder::layer));
    }

    private static Message.RebuildBegin rebuildBegin(BodyReader r) {
        return new Message.RebuildBegin(
                r.natural("epoch"),
                r.i64("session"),
                r.natural("common sequence"),
                r.natural("base sequence"),
                r.natural("base epoch"),
                r.natural("size"),
                r.list("epochs", Message.HISTORY_MAX, MessageDecoder::epochStart),
                r.list("layers", WireLimits.LAYERS_MAX, MessageDecoder::layer));
    }

    private static Message.EpochStart epochStart(BodyReader r) {
        return new Message.EpochStart(r.natural("epoch"), r.natural("start sequence"));
    }

    private static Message.MapRun mapRun(BodyReader r) {
        return new Message.MapRun(
                r.natural("first block"),
                r.natural("blocks"),
                BlockState.of(r.u8("block state")),
                r.natural("sequence"));
    }

    private static Message.Layer layer(BodyReader r) {
        return new Message.Layer(
                r.layerId("layer id"),
                r.layerId("parent"),
                r.natural("frozen sequence"),
                r.string("layer name", WireLimits.NAME_BYTES_MAX),
                r.bool("user made"),
                r.bool("removed"),
                r.i64("created at"),
                r.natural("size"),
                r.natural("data bytes"),
                r.labels());
    }

    private static Message.ReplicaInfo replicaInfo(BodyReader r) {
        return new Message.ReplicaInfo(
                r.uuid("volume id"),
                r.name("volume name"),
                r.uuid("replica id"),
                r.natural("promised epoch"),
                r.natural("size"));
    }
}
