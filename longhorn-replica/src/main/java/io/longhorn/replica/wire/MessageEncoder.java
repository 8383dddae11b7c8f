package io.longhorn.replica.wire;

/** Writes the fields of a {@link Message} in the order of {@code docs/format/wire.md}, section 7. A long table, one case per type. */
final class MessageEncoder {
    private MessageEncoder() {}

    static void write(BodyWriter w, Message message) {
        switch (message.type()) {
            case HELLO -> hello(w, (Message.Hello) message);
            case HELLO_OK -> helloOk(w, (Message.HelloOk) message);
            case FENCE -> fence(w, (Message.Fence) message);
            case FENCE_OK -> fenceOk(w, (Message.FenceOk) message);
            case CREATE_REPLICA -> createReplica(w, (Message.CreateReplica) message);
            case DELETE_REPLICA -> {
                Message.DeleteReplica m = (Message.DeleteReplica) message;
                w.natural("epoch", m.epoch()).uuid(m.volumeId()).uuid(m.replicaId());
            }
            case DONE, STATUS, LIST_REPLICAS -> {
                // No fields.
            }
            case ERROR -> {
                Message.Failure m = (Message.Failure) message;
                w.i32(m.code()).i64(m.first()).i64(m.second()).stringCut(m.detail(), WireLimits.DETAIL_BYTES_MAX);
            }
            case PING -> {
                Message.Ping m = (Message.Ping) message;
                w.natural("epoch", m.epoch()).i64(m.sentNanos());
            }
            case PONG -> {
                Message.Pong m = (Message.Pong) message;
                w.natural("epoch", m.epoch()).i64(m.sentNanos());
            }
            case STATUS_OK -> statusOk(w, (Message.StatusOk) message);
            case MAP_QUERY -> mapQuery(w, (Message.MapQuery) message);
            case MAP_PAGE -> {
                Message.MapPage m = (Message.MapPage) message;
                w.i64(m.nextBlock()).list("runs", m.runs(), Message.MapPage.RUNS_MAX, MessageEncoder::mapRun);
            }
            case RECORDS -> {
                Message.Records m = (Message.Records) message;
                w.natural("from sequence", m.fromSequence()).naturalInt("most bytes", m.bytesMax());
            }
            case RECORDS_OK -> {
                Message.RecordsOk m = (Message.RecordsOk) message;
                w.bool(m.gone()).natural("next sequence", m.nextSequence());
            }
            case REBUILD_BEGIN -> rebuildBegin(w, (Message.RebuildBegin) message);
            case LAYER_READ -> {
                Message.LayerRead m = (Message.LayerRead) message;
                w.layerId(m.layer())
                        .natural("since sequence", m.sinceSequence())
                        .natural("from block", m.fromBlock())
                        .natural("to block", m.toBlock())
                        .list(
                                "blocks",
                                m.blocks(),
                                WireLimits.LAYER_READ_BLOCKS_MAX,
                                (element, block) -> element.natural("block", block));
            }
            case REBUILD_PROGRESS -> {
                Message.RebuildProgress m = (Message.RebuildProgress) message;
                w.i64(m.session()).naturalInt("installed", m.installed()).naturalInt("skipped", m.skipped());
            }
            case REBUILD_END -> {
                Message.RebuildEnd m = (Message.RebuildEnd) message;
                w.i64(m.session()).natural("through sequence", m.throughSequence());
            }
            case JOINED -> {
                Message.Joined m = (Message.Joined) message;
                w.i64(m.session()).natural("record version", m.recordVersion());
            }
            case REPAIR -> repair(w, (Message.Repair) message);
            case PIN -> {
                Message.Pin m = (Message.Pin) message;
                w.i32(m.pin()).layerId(m.layer());
            }
            case UNPIN -> w.i32(((Message.Unpin) message).pin());
            case DAMAGE -> {
                Message.Damage m = (Message.Damage) message;
                w.layerId(m.layer())
                        .natural("block", m.block())
                        .natural("sequence", m.sequence())
                        .i32(m.crc());
            }
            case LIST_REPLICAS_OK ->
                w.list(
                        "replicas",
                        ((Message.ListReplicasOk) message).replicas(),
                        WireLimits.REPLICAS_MAX,
                        MessageEncoder::replicaInfo);
            case CLOSE_VOLUME -> {
                Message.CloseVolume m = (Message.CloseVolume) message;
                w.natural("epoch", m.epoch()).natural("committed", m.committed());
            }
            default -> throw new IllegalArgumentException(message.type() + " is no control message");
        }
    }

    private static void hello(BodyWriter w, Message.Hello m) {
        w.naturalInt("oldest version", m.versionMin())
                .naturalInt("newest version", m.versionMax())
                .i64(m.features())
                .uuid(m.engineId())
                .uuid(m.clusterId())
                .string("token", m.token(), WireLimits.TOKEN_BYTES_MAX);
    }

    private static void helloOk(BodyWriter w, Message.HelloOk m) {
        w.naturalInt("version", m.version())
                .i64(m.features())
                .uuid(m.serverId())
                .string("boot id", m.bootId(), WireLimits.BOOT_ID_BYTES_MAX)
                .naturalInt("disks", m.disks())
                .naturalInt("replicas", m.replicas())
                .natural("usable bytes", m.usableBytes());
    }

    private static void fence(BodyWriter w, Message.Fence m) {
        w.natural("epoch", m.epoch())
                .uuid(m.engineId())
                .uuid(m.clusterId())
                .uuid(m.volumeId())
                .uuid(m.replicaId())
                .natural("record version", m.recordVersion());
    }

    private static void fenceOk(BodyWriter w, Message.FenceOk m) {
        w.natural("promised epoch", m.promisedEpoch())
                .natural("last epoch", m.lastEpoch())
                .natural("last sequence", m.lastSequence())
                .natural("journaled", m.journaled())
                .natural("durable", m.durable())
                .natural("committed", m.committed())
                .bool(m.uncertain())
                .bool(m.mixed())
                .natural("common sequence", m.commonSequence())
                .natural("size", m.sizeBytes())
                .natural("credit", m.creditBytes())
                .atLeast("quiet time", m.quietMillis(), -1)
                .list("epochs", m.history(), Message.HISTORY_MAX, MessageEncoder::epochStart);
    }

    private static void createReplica(BodyWriter w, Message.CreateReplica m) {
        w.natural("epoch", m.epoch())
                .uuid(m.volumeId())
                .name("volume name", m.volumeName())
                .uuid(m.replicaId())
                .natural("size", m.sizeBytes())
                .natural("record version", m.recordVersion())
                .uuid(m.engineId());
    }

    private static void statusOk(BodyWriter w, Message.StatusOk m) {
        w.natural("size", m.sizeBytes())
                .natural("last sequence", m.lastSequence())
                .natural("committed", m.committed())
                .natural("checkpointed", m.checkpointed())
                .natural("allocated bytes", m.allocatedBytes())
                .natural("damaged blocks", m.damagedBlocks())
                .list("layers", m.layers(), WireLimits.LAYERS_MAX, MessageEncoder::layer);
    }

    private static void mapQuery(BodyWriter w, Message.MapQuery m) {
        w.u8(m.mode().code())
                .layerId(m.layer())
                .i32(m.pin())
                .layerId(m.since())
                .natural("since sequence", m.sinceSequence())
                .natural("from block", m.fromBlock())
                .natural("to block", m.toBlock());
    }

    private static void rebuildBegin(BodyWriter w, Message.RebuildBegin m) {
        w.natural("epoch", m.epoch())
                .i64(m.session())
                .natural("common sequence", m.commonSequence())
                .natural("base sequence", m.baseSequence())
                .natural("base epoch", m.baseEpoch())
                .natural("size", m.sizeBytes())
                .list("epochs", m.history(), Message.HISTORY_MAX, MessageEncoder::epochStart)
                .list("layers", m.layers(), WireLimits.LAYERS_MAX, MessageEncoder::layer);
    }

    private static void repair(BodyWriter w, Message.Repair m) {
        if (m.data().length != FrameLayout.BLOCK_BYTES) {
            throw new IllegalArgumentException(
                    "a repair has " + m.data().length + " bytes, expected " + FrameLayout.BLOCK_BYTES);
        }
        w.layerId(m.layer())
                .natural("block", m.block())
                .natural("sequence", m.sequence())
                .i32(m.crc())
                .bytes(m.data());
    }

    private static void epochStart(BodyWriter w, Message.EpochStart e) {
        w.natural("epoch", e.epoch()).natural("start sequence", e.startSequence());
    }

    private static void mapRun(BodyWriter w, Message.MapRun run) {
        w.natural("first block", run.firstBlock())
                .natural("blocks", run.blocks())
                .u8(run.state().code())
                .natural("sequence", run.sequence());
    }

    private static void layer(BodyWriter w, Message.Layer layer) {
        w.layerId(layer.id())
                .layerId(layer.parent())
                .natural("frozen sequence", layer.frozenSequence())
                .string("layer name", layer.name(), WireLimits.NAME_BYTES_MAX)
                .bool(layer.userMade())
                .bool(layer.removed())
                .i64(layer.createdAtMillis())
                .natural("size", layer.sizeBytes())
                .natural("data bytes", layer.dataBytes())
                .labels(layer.labels());
    }

    private static void replicaInfo(BodyWriter w, Message.ReplicaInfo info) {
        w.uuid(info.volumeId())
                .name("volume name", info.volumeName())
                .uuid(info.replicaId())
                .natural("promised epoch", info.promisedEpoch())
                .natural("size", info.sizeBytes());
    }
}
