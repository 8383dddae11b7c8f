package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * READ (engine to replica) and READ_OK (its answer, same request id in the number field). See {@code docs/format/wire.md}, section 6.
 *
 * <pre>
 * READ     40            48               56       64       68    72
 *          | layer epoch | layer sequence | offset | length | pin | end
 * READ_OK  40            44         48
 *          | block count | reserved | CRC table, padded to 8 | payload
 * </pre>
 *
 * Offset and length are whole blocks, at most {@link FrameLayout#PAYLOAD_BYTES_MAX}. The layer is {@link LayerId#LIVE}, or a snapshot, which
 * is read with its parents beneath it; a removed snapshot only with the pin that holds it (0: no pin). The answer carries the stored
 * CRCs, unchecked: the engine compares. An answer without payload means that every block is zero.
 */
public final class ReadLayout {
    public static final int LAYER_EPOCH_OFFSET = 40;
    public static final int LAYER_SEQUENCE_OFFSET = 48;
    public static final int OFFSET_OFFSET = 56;
    public static final int LENGTH_OFFSET = 64;
    public static final int PIN_OFFSET = 68;
    public static final int READ_BYTES = 72;

    public static final int BLOCK_COUNT_OFFSET = 40;
    public static final int TABLE_OFFSET = 48;

    private ReadLayout() {}

    public static void encodeRead(
            FrameBuffer frame, long epoch, long request, LayerId layer, int pin, long offsetBytes, int lengthBytes) {
        ByteBuffer b = frame.bytes();
        FrameLayout.encode(b, 0, FrameType.READ, 0, READ_BYTES, 0, epoch, request);
        b.putLong(LAYER_EPOCH_OFFSET, layer.epoch());
        b.putLong(LAYER_SEQUENCE_OFFSET, layer.sequence());
        b.putLong(OFFSET_OFFSET, offsetBytes);
        b.putInt(LENGTH_OFFSET, lengthBytes);
        b.putInt(PIN_OFFSET, pin);
        FrameLayout.seal(b, 0);
        frame.length(READ_BYTES);
    }

    /**
     * Whether the frame at {@code at} is a whole and consistent READ; whether the range lies in the volume is the replica's to know.
     *
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault checkRead(ByteBuffer b, int at, int available) {
        FrameFault fault = FrameCheck.plain(b, at, available, FrameType.READ);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        if (FrameLayout.frameLength(b, at) != READ_BYTES) {
            return FrameFault.COUNTS;
        }
        if (!FrameCheck.isBlockRange(offset(b, at), length(b, at), FrameLayout.PAYLOAD_BYTES_MAX)) {
            return FrameFault.RANGE;
        }
        return FrameCheck.isLayerId(layerEpoch(b, at), layerSequence(b, at)) ? FrameFault.NONE : FrameFault.FIELD;
    }

    public static long layerEpoch(ByteBuffer b, int at) {
        return b.getLong(at + LAYER_EPOCH_OFFSET);
    }

    public static long layerSequence(ByteBuffer b, int at) {
        return b.getLong(at + LAYER_SEQUENCE_OFFSET);
    }

    public static int pin(ByteBuffer b, int at) {
        return b.getInt(at + PIN_OFFSET);
    }

    public static long offset(ByteBuffer b, int at) {
        return b.getLong(at + OFFSET_OFFSET);
    }

    public static int length(ByteBuffer b, int at) {
        return b.getInt(at + LENGTH_OFFSET);
    }

    /** Where the payload of an answer with {@code blocks} blocks starts. */
    public static int answerHeaderLength(int blocks) {
        return FrameLayout.align(TABLE_OFFSET + 4 * blocks);
    }

    /**
     * Completes an answer whose CRC table, and payload unless {@code allZero}, already stand in {@code frame} at {@link #TABLE_OFFSET} and
     * {@link #answerHeaderLength}.
     */
    public static void encodeAnswer(FrameBuffer frame, long epoch, long request, int blocks, boolean allZero) {
        ByteBuffer b = frame.bytes();
        int header = answerHeaderLength(blocks);
        int payload = allZero ? 0 : blocks * FrameLayout.BLOCK_BYTES;
        FrameLayout.encode(b, 0, FrameType.READ_OK, 0, header + payload, payload, epoch, request);
        b.putInt(BLOCK_COUNT_OFFSET, blocks);
        b.putInt(BLOCK_COUNT_OFFSET + 4, 0);
        if ((blocks & 1) != 0) {
            b.putInt(TABLE_OFFSET + 4 * blocks, 0);
        }
        FrameLayout.seal(b, 0);
        frame.length(header + payload);
    }

    public static int blockCount(ByteBuffer b, int at) {
        return b.getInt(at + BLOCK_COUNT_OFFSET);
    }

    public static int blockCrc(ByteBuffer b, int at, int index) {
        return b.getInt(at + TABLE_OFFSET + 4 * index);
    }

    /**
     * Whether the frame at {@code at} is a whole and consistent READ_OK. Its blocks are not looked at: {@link #firstMismatch}.
     *
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault checkAnswer(ByteBuffer b, int at, int available) {
        FrameFault fault = FrameCheck.plain(b, at, available, FrameType.READ_OK);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        int header = FrameLayout.headerLength(b, at);
        if (header < TABLE_OFFSET) {
            return FrameFault.COUNTS;
        }
        int blocks = blockCount(b, at);
        int payload = FrameLayout.payloadLength(b, at);
        boolean counts = blocks > 0
                && blocks <= FrameLayout.BLOCKS_MAX
                && header == answerHeaderLength(blocks)
                && (payload == 0 || payload == blocks * FrameLayout.BLOCK_BYTES);
        if (!counts) {
            return FrameFault.COUNTS;
        }
        boolean reservedZero = b.getInt(at + BLOCK_COUNT_OFFSET + 4) == 0
                && ((blocks & 1) == 0 || b.getInt(at + TABLE_OFFSET + 4 * blocks) == 0);
        return reservedZero ? FrameFault.NONE : FrameFault.FIELD;
    }

    /** Index of the first block of a checked READ_OK that does not match its CRC, from {@code from} on; -1 if all match. */
    public static int firstMismatch(ByteBuffer b, int at, int from) {
        boolean allZero = FrameLayout.payloadLength(b, at) == 0;
        int payload = at + FrameLayout.headerLength(b, at);
        for (int i = from, n = blockCount(b, at); i < n; i++) {
            int crc = allZero ? Checksum.ZERO_BLOCK : Checksum.block(b, payload + i * FrameLayout.BLOCK_BYTES);
            if (crc != blockCrc(b, at, i)) {
                return i;
            }
        }
        return -1;
    }
}
