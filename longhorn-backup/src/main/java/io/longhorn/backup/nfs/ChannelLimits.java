package io.longhorn.backup.nfs;

import java.net.ProtocolException;

/**
 * What a session allows (RFC 8881, section 18.36): what we ask for, then what the server grants.
 *
 * @param requestBytesMax with the header of the remote call
 * @param responseBytesMax the same
 * @param cachedBytesMax of a response that the server keeps
 * @param operationsMax of one compound, SEQUENCE counted
 * @param slots how many calls may be under way
 */
record ChannelLimits(int requestBytesMax, int responseBytesMax, int cachedBytesMax, int operationsMax, int slots) {
    /** Mounts read and write that much at once, too. */
    static final int DATA_BYTES_MAX = 1 << 20;
    /** For headers, handles, and the other operations of a compound that carries data. */
    static final int OVERHEAD_BYTES = 4096;

    static final int SLOTS_MAX = 16;

    static final ChannelLimits WANTED =
            new ChannelLimits(DATA_BYTES_MAX + OVERHEAD_BYTES, DATA_BYTES_MAX + OVERHEAD_BYTES, 4096, 32, SLOTS_MAX);

    /** The least that a server may grant. */
    private static final ChannelLimits LEAST = new ChannelLimits(2 * OVERHEAD_BYTES, 2 * OVERHEAD_BYTES, 512, 8, 1);

    /** Never used, but a session must have one. */
    static final ChannelLimits BACK = new ChannelLimits(4096, 4096, 4096, 2, 1);

    static final int BACK_PROGRAM = 0x40000000;

    void write(XdrWriter out) {
        out.int32(0)
                .int32(requestBytesMax)
                .int32(responseBytesMax)
                .int32(cachedBytesMax)
                .int32(operationsMax)
                .int32(slots)
                .int32(0);
    }

    /** What was granted of this, never more than was asked for. */
    ChannelLimits granted(XdrReader in) throws ProtocolException {
        in.int32();
        ChannelLimits granted = new ChannelLimits(
                least(in, requestBytesMax, LEAST.requestBytesMax, "bytes of a request"),
                least(in, responseBytesMax, LEAST.responseBytesMax, "bytes of a response"),
                least(in, cachedBytesMax, LEAST.cachedBytesMax, "bytes of a response that is kept"),
                least(in, operationsMax, LEAST.operationsMax, "operations of a compound"),
                least(in, slots, LEAST.slots, "calls at a time"));
        for (int i = in.count(1); i > 0; i--) {
            in.int32();
        }
        return granted;
    }

    private static int least(XdrReader in, int wanted, int needed, String what) throws ProtocolException {
        long granted = in.uint32();
        if (granted < needed) {
            throw new ProtocolException(
                    "the server grants only " + granted + " " + what + ", at least " + needed + " are needed");
        }
        return (int) Math.min(wanted, granted);
    }

    /** How many bytes one READ may bring. */
    int readBytesMax() {
        return responseBytesMax - OVERHEAD_BYTES;
    }

    /** How many bytes one WRITE may carry. */
    int writeBytesMax() {
        return requestBytesMax - OVERHEAD_BYTES;
    }
}
