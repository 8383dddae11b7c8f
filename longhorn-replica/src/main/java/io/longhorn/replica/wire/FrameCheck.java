package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/** What must hold of a frame before its body is decoded. */
final class FrameCheck {
    private FrameCheck() {}

    /**
     * The length of the frame at {@code at}, which lies wholly in the buffer, is as long as its type may be, and whose header matches its
     * CRC.
     */
    static int requireWhole(ByteBuffer b, int at) {
        if (at < 0 || b.limit() - at < FrameLayout.HEADER_BYTES) {
            throw WireErrors.refused("a frame is cut off inside its header");
        }
        int length = FrameLayout.checkStart(b, at);
        if (length > b.limit() - at) {
            throw WireErrors.refused("a frame of " + length + " bytes is cut off after " + (b.limit() - at));
        }
        if (!FrameLayout.headerCrcMatches(b, at)) {
            throw WireErrors.refused("a frame's header does not match its checksum");
        }
        return length;
    }

    /** No payload, no flags, no slot, and no negative epoch or request id. */
    static void requireControl(ByteBuffer b, int at, FrameType type) {
        if (FrameLayout.payloadLength(b, at) != 0) {
            throw WireErrors.badField("payload length of " + type, FrameLayout.payloadLength(b, at), "0");
        }
        if (FrameLayout.flags(b, at) != 0) {
            throw WireErrors.badField("flags of " + type, FrameLayout.flags(b, at), "0");
        }
        if (FrameLayout.slot(b, at) != 0) {
            throw WireErrors.badField("slot of " + type, FrameLayout.slot(b, at), "0");
        }
        if (FrameLayout.epoch(b, at) < 0) {
            throw WireErrors.badField("epoch of " + type, FrameLayout.epoch(b, at), "no negative number");
        }
        if (FrameLayout.number(b, at) < 0) {
            throw WireErrors.badField("request id of " + type, FrameLayout.number(b, at), "no negative number");
        }
    }

    /** A record with room for its fixed fields and nothing that belongs to block records. */
    static void requireBodyRecord(ByteBuffer b, int at) {
        if (FrameLayout.payloadLength(b, at) != 0) {
            throw WireErrors.badField("payload length", FrameLayout.payloadLength(b, at), "0");
        }
        if (FrameLayout.frameLength(b, at) < RecordLayout.TABLE_OFFSET) {
            throw WireErrors.badField(
                    "frame length", FrameLayout.frameLength(b, at), "at least " + RecordLayout.TABLE_OFFSET);
        }
        if (RecordLayout.blockCount(b, at) != 0) {
            throw WireErrors.badField("block count", RecordLayout.blockCount(b, at), "0");
        }
    }
}
