package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * COMMIT and FLUSH: nothing but an epoch and a sequence (in the number field); engine to replica. COMMIT: records up to the sequence
 * are confirmed by the whole view. FLUSH: make everything up to the sequence durable now; the answer is an ACK whose durable
 * number covers it.
 */
public final class SequenceLayout {
    public static final int FRAME_BYTES = FrameLayout.HEADER_BYTES;

    private SequenceLayout() {}

    public static void encode(FrameBuffer frame, FrameType type, long epoch, long sequence) {
        ByteBuffer b = frame.bytes();
        FrameLayout.encode(b, 0, type, 0, FRAME_BYTES, 0, epoch, sequence);
        FrameLayout.seal(b, 0);
        frame.length(FRAME_BYTES);
    }

    /**
     * Whether the frame at {@code at} is a whole and consistent {@code type}.
     *
     * @param type COMMIT or FLUSH
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault check(ByteBuffer b, int at, int available, FrameType type) {
        FrameFault fault = FrameCheck.plain(b, at, available, type);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        return FrameLayout.frameLength(b, at) == FRAME_BYTES ? FrameFault.NONE : FrameFault.COUNTS;
    }
}
