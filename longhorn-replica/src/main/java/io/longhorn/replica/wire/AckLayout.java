package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * What a replica has, cumulative; replica to engine, after every batch of records and whenever a number grew. See
 * {@code docs/format/wire.md}, section 5.
 *
 * <pre>
 *  40          48        56       64          72
 *  | journaled | durable | credit | disk full | end
 * </pre>
 *
 * Everything up to sequence <i>journaled</i> is in the replica's journal (survives the crash of its process), everything up to
 * <i>durable</i> is on stable storage. <i>Credit</i>: bytes of record frames, counted from the fence, that the engine may have
 * sent in all; it only grows. <i>Disk full</i> is 1 when credit does not grow for want of space, else 0.
 */
public final class AckLayout {
    public static final int JOURNALED_OFFSET = 40;
    public static final int DURABLE_OFFSET = 48;
    public static final int CREDIT_OFFSET = 56;
    public static final int DISK_FULL_OFFSET = 64;
    public static final int FRAME_BYTES = 72;

    private AckLayout() {}

    public static void encode(
            FrameBuffer frame, long epoch, long journaled, long durable, long creditBytes, boolean diskFull) {
        ByteBuffer b = frame.bytes();
        FrameLayout.encode(b, 0, FrameType.ACK, 0, FRAME_BYTES, 0, epoch, 0);
        b.putLong(JOURNALED_OFFSET, journaled);
        b.putLong(DURABLE_OFFSET, durable);
        b.putLong(CREDIT_OFFSET, creditBytes);
        b.putLong(DISK_FULL_OFFSET, diskFull ? 1 : 0);
        FrameLayout.seal(b, 0);
        frame.length(FRAME_BYTES);
    }

    /**
     * Whether the frame at {@code at} is a whole and consistent ACK.
     *
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault check(ByteBuffer b, int at, int available) {
        FrameFault fault = FrameCheck.plain(b, at, available, FrameType.ACK);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        if (FrameLayout.frameLength(b, at) != FRAME_BYTES) {
            return FrameFault.COUNTS;
        }
        boolean sane = FrameLayout.number(b, at) == 0
                && durable(b, at) >= 0
                && journaled(b, at) >= durable(b, at)
                && creditBytes(b, at) >= 0
                && b.getLong(at + DISK_FULL_OFFSET) >>> 1 == 0;
        return sane ? FrameFault.NONE : FrameFault.FIELD;
    }

    public static long journaled(ByteBuffer b, int at) {
        return b.getLong(at + JOURNALED_OFFSET);
    }

    public static long durable(ByteBuffer b, int at) {
        return b.getLong(at + DURABLE_OFFSET);
    }

    public static long creditBytes(ByteBuffer b, int at) {
        return b.getLong(at + CREDIT_OFFSET);
    }

    public static boolean diskFull(ByteBuffer b, int at) {
        return b.getLong(at + DISK_FULL_OFFSET) != 0;
    }
}
