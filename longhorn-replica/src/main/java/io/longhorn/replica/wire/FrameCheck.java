package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/** What must hold of any frame before its type's own fields are looked at. Allocates nothing unless it throws. */
final class FrameCheck {
    private FrameCheck() {}

    /**
     * Checks the common header of the frame at {@code at} and that the header matches its CRC.
     *
     * @param available bytes of {@code b} from {@code at} on that were received or read
     */
    static FrameFault start(ByteBuffer b, int at, int available) {
        if (available < FrameLayout.HEADER_BYTES) {
            return FrameFault.CUT;
        }
        if (b.getInt(at + FrameLayout.MAGIC_OFFSET) != FrameLayout.MAGIC) {
            return FrameFault.MAGIC;
        }
        if (!FrameLayout.lengthsFit(b, at)) {
            return FrameFault.LENGTHS;
        }
        if (FrameLayout.frameLength(b, at) > available) {
            return FrameFault.CUT;
        }
        if (!FrameLayout.headerCrcMatches(b, at)) {
            return FrameFault.CHECKSUM;
        }
        return FrameLayout.epoch(b, at) < 0 || FrameLayout.number(b, at) < 0 ? FrameFault.FIELD : FrameFault.NONE;
    }

    /** {@link #start}, then exactly this type, without flags and slot. */
    static FrameFault plain(ByteBuffer b, int at, int available, FrameType type) {
        FrameFault fault = start(b, at, available);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        if (FrameLayout.type(b, at) != type.code()) {
            return FrameFault.TYPE;
        }
        return FrameLayout.flags(b, at) != 0 || FrameLayout.slot(b, at) != 0 ? FrameFault.FIELD : FrameFault.NONE;
    }

    /** Whole blocks of a volume: not negative, not empty, at most {@code lengthMax} bytes, no overflow. */
    static boolean isBlockRange(long offset, long length, long lengthMax) {
        return offset >= 0
                && offset % FrameLayout.BLOCK_BYTES == 0
                && length > 0
                && length <= lengthMax
                && length % FrameLayout.BLOCK_BYTES == 0
                && offset <= Long.MAX_VALUE - length;
    }

    /** A layer's id, or {@link LayerId#LIVE}. */
    static boolean isLayerId(long epoch, long sequence) {
        return epoch >= 0 && sequence >= 0 && (sequence > 0 || epoch == 0);
    }

    /** The length of the frame at {@code at}, which {@link #start} found good; for the decoders that throw. */
    static int require(ByteBuffer b, int at) {
        FrameFault fault = at < 0 ? FrameFault.CUT : start(b, at, b.limit() - at);
        if (fault != FrameFault.NONE) {
            throw WireErrors.badFrame(fault, b, at);
        }
        return FrameLayout.frameLength(b, at);
    }

    /** No payload, flags or slot: what every control message has in common. */
    static void requireControl(ByteBuffer b, int at, FrameType type) {
        requireZero("payload length", type, FrameLayout.payloadLength(b, at));
        requireZero("flags", type, FrameLayout.flags(b, at));
        requireZero("slot", type, FrameLayout.slot(b, at));
    }

    private static void requireZero(String field, FrameType type, int value) {
        if (value != 0) {
            throw WireErrors.badField(field + " of " + type, value, "0");
        }
    }
}
