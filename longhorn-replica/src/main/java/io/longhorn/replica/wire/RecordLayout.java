package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * A sequenced operation: a frame on the wire and, unchanged but for three fields, a record in the journal. See
 * {@code docs/format/wire.md}, section 4, and {@code docs/format/journal.md}. Follows the common header of {@link FrameLayout}, whose
 * number field is the record's sequence.
 *
 * <pre>
 *  40                   48        56        64                 72        76            80
 *  | committed sequence | offset  | length  | durable position | segment | block count | CRC table, body | payload
 * </pre>
 *
 * WRITE: offset and length in bytes, whole blocks; the CRC table has one CRC32C per block, padded to 8 bytes; the payload is the data.
 * WRITE_ZEROES, DISCARD: offset and length, no table, no payload. The others carry a body (no payload) that
 * {@link StructureOperation} encodes behind byte 80, covered by the header CRC; block count is zero.
 *
 * <p>Slot (common header), durable position and segment are zero on the wire. The journal fills them in and seals the header again;
 * a record that a replica sends from its journal is cleared of them ({@link #clearStamp}).
 */
public final class RecordLayout {
    public static final int COMMITTED_OFFSET = 40;
    public static final int OFFSET_OFFSET = 48;
    public static final int LENGTH_OFFSET = 56;
    /** Journal position known durable when this was appended. Guards against taking damage for the journal's end. */
    public static final int DURABLE_POSITION_OFFSET = 64;
    /** Segment number. Guards against an old record in a recycled segment. */
    public static final int SEGMENT_OFFSET = 72;

    public static final int BLOCK_COUNT_OFFSET = 76;
    public static final int TABLE_OFFSET = 80;

    private RecordLayout() {}

    /**
     * Whether the frame at {@code at} is a whole and consistent record as an engine sends it: nothing stamped yet, none of a replica's own.
     * Blocks are not looked at ({@link #payloadMatches}), nor is the body of a structural record ({@link MessageCodec#decodeStructure}), nor
     * whether the range lies in the volume.
     *
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault check(ByteBuffer b, int at, int available) {
        FrameFault fault = checkJournaled(b, at, available);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        if (FrameLayout.type(b, at) > FrameType.EPOCH_START.code()) {
            return FrameFault.TYPE;
        }
        return FrameLayout.slot(b, at) == 0 && durablePosition(b, at) == 0 && segment(b, at) == 0
                ? FrameFault.NONE
                : FrameFault.FIELD;
    }

    /** {@link #check} for a record in a journal: it may be stamped, and may be one of the replica's own. */
    public static FrameFault checkJournaled(ByteBuffer b, int at, int available) {
        FrameFault fault = FrameCheck.start(b, at, available);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type == null || !(type.isRecord() || type.isLocal())) {
            return FrameFault.TYPE;
        }
        if (FrameLayout.headerLength(b, at) < TABLE_OFFSET) {
            return FrameFault.COUNTS;
        }
        fault = checkCounts(b, at, type);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        int flagsKnown = type == FrameType.WRITE_ZEROES
                ? FrameLayout.FLAG_FORCED | FrameLayout.FLAG_ALLOCATE
                : FrameLayout.FLAG_FORCED;
        boolean sane = (FrameLayout.flags(b, at) & ~flagsKnown) == 0
                && (type.isLocal() || (sequence(b, at) > 0 && FrameLayout.epoch(b, at) > 0))
                && committed(b, at) >= 0
                && durablePosition(b, at) >= 0
                && segment(b, at) >= 0;
        return sane ? FrameFault.NONE : FrameFault.FIELD;
    }

    /** Block count, lengths and range, which depend on each other and on the type. */
    private static FrameFault checkCounts(ByteBuffer b, int at, FrameType type) {
        int blocks = blockCount(b, at);
        int header = FrameLayout.headerLength(b, at);
        int payload = FrameLayout.payloadLength(b, at);
        if (blocks < 0 || blocks > FrameLayout.BLOCKS_MAX || payload != blocks * FrameLayout.BLOCK_BYTES) {
            return FrameFault.COUNTS;
        }
        switch (type) {
            case WRITE -> {
                if (blocks == 0 || header != writeHeaderLength(blocks) || length(b, at) != payload) {
                    return FrameFault.COUNTS;
                }
                if ((blocks & 1) != 0 && b.getInt(at + TABLE_OFFSET + 4 * blocks) != 0) {
                    return FrameFault.FIELD;
                }
                return rangeFault(b, at, FrameLayout.PAYLOAD_BYTES_MAX);
            }
            case WRITE_ZEROES, DISCARD -> {
                return blocks == 0 && header == TABLE_OFFSET
                        ? rangeFault(b, at, FrameLayout.RANGE_BYTES_MAX)
                        : FrameFault.COUNTS;
            }
            case LOCAL_REPAIR, LOCAL_DROP_TAIL, LOCAL_REBUILD_BASE -> {
                // Their fields are the journal's own matter; lengths were checked above.
                return header >= writeHeaderLength(blocks) ? FrameFault.NONE : FrameFault.COUNTS;
            }
            default -> {
                return blocks != 0
                        ? FrameFault.COUNTS
                        : offset(b, at) == 0 && length(b, at) == 0 ? FrameFault.NONE : FrameFault.RANGE;
            }
        }
    }

    private static FrameFault rangeFault(ByteBuffer b, int at, long lengthMax) {
        return FrameCheck.isBlockRange(offset(b, at), length(b, at), lengthMax) ? FrameFault.NONE : FrameFault.RANGE;
    }

    public static long sequence(ByteBuffer b, int at) {
        return FrameLayout.number(b, at);
    }

    public static long committed(ByteBuffer b, int at) {
        return b.getLong(at + COMMITTED_OFFSET);
    }

    /** First byte of the volume that the record concerns; a multiple of the block size. */
    public static long offset(ByteBuffer b, int at) {
        return b.getLong(at + OFFSET_OFFSET);
    }

    /** Bytes of the volume that the record concerns; a multiple of the block size. */
    public static long length(ByteBuffer b, int at) {
        return b.getLong(at + LENGTH_OFFSET);
    }

    public static long durablePosition(ByteBuffer b, int at) {
        return b.getLong(at + DURABLE_POSITION_OFFSET);
    }

    public static int segment(ByteBuffer b, int at) {
        return b.getInt(at + SEGMENT_OFFSET);
    }

    public static int blockCount(ByteBuffer b, int at) {
        return b.getInt(at + BLOCK_COUNT_OFFSET);
    }

    /** The CRC of block {@code index} of a WRITE. */
    public static int blockCrc(ByteBuffer b, int at, int index) {
        return b.getInt(at + TABLE_OFFSET + 4 * index);
    }

    /** Header length of a WRITE of {@code blocks} blocks: where its payload starts. */
    public static int writeHeaderLength(int blocks) {
        return FrameLayout.align(TABLE_OFFSET + 4 * blocks);
    }

    /** Frame length of a WRITE of {@code blocks} blocks. */
    public static int writeFrameLength(int blocks) {
        return writeHeaderLength(blocks) + blocks * FrameLayout.BLOCK_BYTES;
    }

    /** The credit that the record takes: its frame's length if it brings or allocates blocks, else none. */
    public static int creditBytes(ByteBuffer b, int at) {
        int type = FrameLayout.type(b, at);
        boolean allocates =
                type == FrameType.WRITE_ZEROES.code() && (FrameLayout.flags(b, at) & FrameLayout.FLAG_ALLOCATE) != 0;
        return type == FrameType.WRITE.code() || allocates ? FrameLayout.frameLength(b, at) : 0;
    }

    /** Whether every block of a WRITE's payload matches its CRC. */
    public static boolean payloadMatches(ByteBuffer b, int at) {
        int payload = at + FrameLayout.headerLength(b, at);
        for (int i = 0, n = blockCount(b, at); i < n; i++) {
            if (Checksum.block(b, payload + i * FrameLayout.BLOCK_BYTES) != blockCrc(b, at, i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Completes a WRITE whose payload already stands at {@link #writeHeaderLength} of {@code frame}: computes the CRC table from
     * these bytes, fills the header, seals it and sets the frame's length.
     */
    public static void encodeWrite(
            FrameBuffer frame, int flags, long epoch, long sequence, long committed, long offsetBytes, int blocks) {
        ByteBuffer b = frame.bytes();
        int header = writeHeaderLength(blocks);
        for (int i = 0; i < blocks; i++) {
            b.putInt(TABLE_OFFSET + 4 * i, Checksum.block(b, header + i * FrameLayout.BLOCK_BYTES));
        }
        if ((blocks & 1) != 0) {
            b.putInt(TABLE_OFFSET + 4 * blocks, 0);
        }
        int payload = blocks * FrameLayout.BLOCK_BYTES;
        encodeFixed(
                b,
                FrameType.WRITE,
                flags,
                header + payload,
                payload,
                epoch,
                sequence,
                committed,
                offsetBytes,
                payload,
                blocks);
        frame.length(header + payload);
    }

    /** A WRITE_ZEROES or DISCARD of whole blocks. */
    public static void encodeRange(
            FrameBuffer frame,
            FrameType type,
            int flags,
            long epoch,
            long sequence,
            long committed,
            long offsetBytes,
            long lengthBytes) {
        encodeFixed(
                frame.bytes(), type, flags, TABLE_OFFSET, 0, epoch, sequence, committed, offsetBytes, lengthBytes, 0);
        frame.length(TABLE_OFFSET);
    }

    /** A record with a body of {@code bodyLength} bytes that already stands at {@link #TABLE_OFFSET}. */
    public static void encodeWithBody(
            FrameBuffer frame, FrameType type, int flags, long epoch, long sequence, long committed, int bodyLength) {
        int length = FrameLayout.align(TABLE_OFFSET + bodyLength);
        for (int i = TABLE_OFFSET + bodyLength; i < length; i++) {
            frame.bytes().put(i, (byte) 0);
        }
        encodeFixed(frame.bytes(), type, flags, length, 0, epoch, sequence, committed, 0, 0, 0);
        frame.length(length);
    }

    private static void encodeFixed(
            ByteBuffer b,
            FrameType type,
            int flags,
            int frameLength,
            int payloadLength,
            long epoch,
            long sequence,
            long committed,
            long offset,
            long length,
            int blocks) {
        FrameLayout.encode(b, 0, type, flags, frameLength, payloadLength, epoch, sequence);
        b.putLong(COMMITTED_OFFSET, committed);
        b.putLong(OFFSET_OFFSET, offset);
        b.putLong(LENGTH_OFFSET, length);
        b.putLong(DURABLE_POSITION_OFFSET, 0);
        b.putInt(SEGMENT_OFFSET, 0);
        b.putInt(BLOCK_COUNT_OFFSET, blocks);
        FrameLayout.seal(b, 0);
    }

    /** Takes off what {@link #stamp} added, before a record leaves the journal for a peer. */
    public static void clearStamp(ByteBuffer b, int at) {
        stamp(b, at, 0, 0, 0);
    }

    /** What the journal adds to a record at {@code at}, in place. */
    public static void stamp(ByteBuffer b, int at, int slot, long durablePosition, int segment) {
        b.putInt(at + FrameLayout.SLOT_OFFSET, slot);
        b.putLong(at + DURABLE_POSITION_OFFSET, durablePosition);
        b.putInt(at + SEGMENT_OFFSET, segment);
        FrameLayout.seal(b, at);
    }
}
