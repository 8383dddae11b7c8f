package io.longhorn.replica.wire;

import io.longhorn.ErrorCode;

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
}
