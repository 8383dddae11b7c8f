package io.longhorn.replica.wire;

import org.jspecify.annotations.Nullable;

/** What a frame is. Codes are stable and never reused; {@code docs/format/wire.md}, section 3, has the conversation. */
public enum FrameType {
    // Records: sequenced, journaled, applied in order. Engine to replica; layout RecordLayout.
    WRITE(1),
    WRITE_ZEROES(2),
    DISCARD(3),
    SNAPSHOT(4),
    SNAPSHOT_DELETE(5),
    REVERT(6),
    EXPAND(7),
    VIEW(8),
    EPOCH_START(9),
    // Records a replica writes for itself; never on the wire.
    LOCAL_REPAIR(20),
    LOCAL_DROP_TAIL(21),
    LOCAL_REBUILD_BASE(22),

    // Data path answers and requests with layouts of their own.
    ACK(32),
    COMMIT(33),
    FLUSH(34),
    READ(35),
    READ_OK(36),

    // Control messages, layout Message.
    HELLO(64),
    HELLO_OK(65),
    FENCE(66),
    FENCE_OK(67),
    CREATE_REPLICA(68),
    DELETE_REPLICA(69),
    DONE(70),
    ERROR(71),
    PING(72),
    PONG(73),
    STATUS(74),
    STATUS_OK(75),
    MAP_QUERY(76),
    MAP_PAGE(77),
    RECORDS(78),
    RECORDS_OK(79),
    REBUILD_BEGIN(82),
    LAYER_READ(83),
    LAYER_BLOCKS(94),
    REBUILD_PROGRESS(84),
    REBUILD_END(85),
    JOINED(86),
    REPAIR(87),
    PIN(88),
    UNPIN(89),
    DAMAGE(90),
    LIST_REPLICAS(91),
    LIST_REPLICAS_OK(92),
    CLOSE_VOLUME(93);

    private static final @Nullable FrameType[] BY_CODE = new @Nullable FrameType[128];

    static {
        for (FrameType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final int code;

    FrameType(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** Whether engines send this as a sequenced record. */
    public boolean isRecord() {
        return code <= EPOCH_START.code;
    }

    /** Whether only a replica's own journal has this record; on the wire it is refused. */
    public boolean isLocal() {
        return code >= LOCAL_REPAIR.code && code <= LOCAL_REBUILD_BASE.code;
    }

    /** Whether this is a record whose body is a {@link StructureOperation}. */
    public boolean isStructure() {
        return code >= SNAPSHOT.code && code <= EPOCH_START.code;
    }

    /** The type with that code, or null if this version knows none. */
    public static @Nullable FrameType of(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}
