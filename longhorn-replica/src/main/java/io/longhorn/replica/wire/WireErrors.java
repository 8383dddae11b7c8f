package io.longhorn.replica.wire;

import io.longhorn.ProtocolException;

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
