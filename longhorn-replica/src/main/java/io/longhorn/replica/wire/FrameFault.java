package io.longhorn.replica.wire;

import io.longhorn.ErrorCode;
import java.nio.ByteBuffer;

/**
 * What is wrong with a received frame. The checks of the layouts answer with this: they run once per frame, so they neither
 * throw nor allocate. The order is the order of the checks; damage shows as {@link #CHECKSUM} before a field is looked at.
 */
public enum FrameFault {
    /** Nothing is wrong. */
    NONE(ErrorCode.SERVER_FAILED),
    /** The bytes end before the frame does. */
    CUT(ErrorCode.PROTOCOL_VIOLATED),
    /** No frame begins here. */
    MAGIC(ErrorCode.PROTOCOL_VIOLATED),
    /** Lengths outside the limits of the frame's type. */
    LENGTHS(ErrorCode.PROTOCOL_VIOLATED),
    /** The header does not match its CRC. */
    CHECKSUM(ErrorCode.CHECKSUM_REFUSED),
    /** A type that may not stand here. */
    TYPE(ErrorCode.UNSUPPORTED),
    /** Counts, tables and payload disagree with each other or with the type. */
    COUNTS(ErrorCode.FIELD_REFUSED),
    /** Offset or length not on whole blocks, negative, or beyond its limit. */
    RANGE(ErrorCode.RANGE_REFUSED),
    /** Another field holds what it may not hold. */
    FIELD(ErrorCode.FIELD_REFUSED);

    private final ErrorCode errorCode;

    FrameFault(ErrorCode errorCode) {
        this.errorCode = errorCode;
    }

    /** What the sender is told. There is nothing to tell about {@link #NONE}. */
    public ErrorCode errorCode() {
        if (this == NONE) {
            throw new IllegalStateException("a good frame has no error code");
        }
        return errorCode;
    }

    /**
     * Checks a received frame by the layout of its type: what a connection's handler does first with every frame. Bodies of control messages
     * and structural records are checked when {@link MessageCodec} decodes them, blocks by the layouts' own methods.
     *
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault of(ByteBuffer b, int at, int available) {
        if (available < FrameLayout.HEADER_BYTES) {
            return CUT;
        }
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type == null) {
            FrameFault fault = FrameCheck.start(b, at, available);
            return fault == NONE ? TYPE : fault;
        }
        return switch (type) {
            case ACK -> AckLayout.check(b, at, available);
            case COMMIT, FLUSH -> SequenceLayout.check(b, at, available, type);
            case READ -> ReadLayout.checkRead(b, at, available);
            case READ_OK -> ReadLayout.checkAnswer(b, at, available);
            case LAYER_BLOCKS -> LayerBlocksLayout.check(b, at, available);
            default ->
                type.isRecord() || type.isLocal()
                        ? RecordLayout.check(b, at, available)
                        : FrameCheck.plain(b, at, available, type);
        };
    }
}
