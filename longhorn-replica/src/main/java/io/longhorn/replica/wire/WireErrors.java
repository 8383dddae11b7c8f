package io.longhorn.replica.wire;

import io.longhorn.ProtocolException;
import java.nio.ByteBuffer;

/** Words for what a peer may not send. The peer's address is not known here; who holds the connection adds it to the log. */
final class WireErrors {
    private static final String PEER = "the peer";

    private WireErrors() {}

    static ProtocolException badMagic(int found) {
        return refused("a frame begins with magic " + hex(found) + ", expected " + hex(FrameLayout.MAGIC));
    }

    static ProtocolException badLengths(int type, int frameLength, int payloadLength) {
        return refused("a frame of type " + type + " and " + frameLength + " bytes with a payload of " + payloadLength
                + " bytes lies outside the limits of its type");
    }

    /** The frame at {@code at} has a fault that {@link FrameCheck#start} found. */
    static ProtocolException badFrame(FrameFault fault, ByteBuffer b, int at) {
        return switch (fault) {
            case MAGIC -> badMagic(b.getInt(at + FrameLayout.MAGIC_OFFSET));
            case LENGTHS ->
                badLengths(FrameLayout.type(b, at), FrameLayout.frameLength(b, at), FrameLayout.payloadLength(b, at));
            case CUT -> refused("a frame is cut off");
            case CHECKSUM -> refused("the header of a frame does not match its checksum");
            default -> refused("a frame has a fault in its header: " + fault);
        };
    }

    static ProtocolException badField(String name, long found, String expected) {
        return refused(name + " is " + found + ", expected " + expected);
    }

    static ProtocolException refused(String reason) {
        return new ProtocolException(PEER, reason);
    }

    private static String hex(int value) {
        return String.format("0x%08x", value);
    }
}
