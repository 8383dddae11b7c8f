package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * The start that every frame has; see {@code docs/format/wire.md}, section 2. Little-endian.
 *
 * <pre>
 *  0            4       8              12               16     18      20     24      32       40
 *  | header CRC | magic | frame length | payload length | type | flags | slot | epoch | number | body ...
 * </pre>
 *
 * The header CRC (CRC32C) covers bytes [4, frame length - payload length): everything but itself and the payload. The payload is
 * always whole blocks, covered block by block by the CRC table at the end of the header.
 *
 * <p>The accessors here and in the other layouts believe the bytes. Of a received frame, {@link #checkStart} comes first, then the
 * layout's {@code check}, then everything else.
 */
public final class FrameLayout {
    /** "LHF1" read as a little-endian int. */
    public static final int MAGIC = 0x3146484C;

    public static final int HEADER_CRC_OFFSET = 0;
    public static final int MAGIC_OFFSET = 4;
    public static final int FRAME_LENGTH_OFFSET = 8;
    public static final int PAYLOAD_LENGTH_OFFSET = 12;
    public static final int TYPE_OFFSET = 16;
    public static final int FLAGS_OFFSET = 18;
    /** Zero on the wire; the journal writes the replica's slot here. Guards against a record read for another replica. */
    public static final int SLOT_OFFSET = 20;

    public static final int EPOCH_OFFSET = 24;
    /** The sequence of a record, the request id of a request and of its answer, else zero. */
    public static final int NUMBER_OFFSET = 32;

    public static final int HEADER_BYTES = 40;

    public static final int BLOCK_BYTES = 4096;
    /** A record or a read carries at most this much data, so that one volume's large I/O never holds a connection for long. */
    public static final int PAYLOAD_BYTES_MAX = 256 << 10;

    public static final int BLOCKS_MAX = PAYLOAD_BYTES_MAX / BLOCK_BYTES;
    /** A WRITE_ZEROES or DISCARD covers at most this much: every block of it costs a replica a map entry. */
    public static final int RANGE_BYTES_MAX = 32 << 20;

    /** Header with body and tables, except for the types that {@link #headerBytesMax} lists. */
    public static final int HEADER_BYTES_MAX = 64 << 10;
    /** A record, and any other frame with a payload, is at most this long. */
    public static final int RECORD_BYTES_MAX = HEADER_BYTES_MAX + PAYLOAD_BYTES_MAX;
    /** The longest frame of all: a control message that lists a volume's layers or a server's replicas. */
    public static final int FRAME_BYTES_MAX = 1 << 20;

    /** Frames are padded to a multiple of this, so that fields of the next one in a buffer are aligned. */
    public static final int ALIGNMENT = 8;

    /** Flag of a record: the sender waits for it to be durable, so do not wait for more before syncing. */
    public static final int FLAG_FORCED = 1;
    /** Flag of a WRITE_ZEROES record: keep the space allocated. */
    public static final int FLAG_ALLOCATE = 2;

    private FrameLayout() {}

    public static int frameLength(ByteBuffer b, int at) {
        return b.getInt(at + FRAME_LENGTH_OFFSET);
    }

    public static int payloadLength(ByteBuffer b, int at) {
        return b.getInt(at + PAYLOAD_LENGTH_OFFSET);
    }

    public static int headerLength(ByteBuffer b, int at) {
        return frameLength(b, at) - payloadLength(b, at);
    }

    public static int type(ByteBuffer b, int at) {
        return b.getShort(at + TYPE_OFFSET) & 0xffff;
    }

    public static int flags(ByteBuffer b, int at) {
        return b.getShort(at + FLAGS_OFFSET) & 0xffff;
    }

    public static int slot(ByteBuffer b, int at) {
        return b.getInt(at + SLOT_OFFSET);
    }

    public static long epoch(ByteBuffer b, int at) {
        return b.getLong(at + EPOCH_OFFSET);
    }

    public static long number(ByteBuffer b, int at) {
        return b.getLong(at + NUMBER_OFFSET);
    }

    /** Writes the common header, CRC excepted: {@link #seal} ends the frame when the rest of its header stands. */
    public static void encode(
            ByteBuffer b,
            int at,
            FrameType type,
            int flags,
            int frameLength,
            int payloadLength,
            long epoch,
            long number) {
        b.putInt(at + MAGIC_OFFSET, MAGIC);
        b.putInt(at + FRAME_LENGTH_OFFSET, frameLength);
        b.putInt(at + PAYLOAD_LENGTH_OFFSET, payloadLength);
        b.putShort(at + TYPE_OFFSET, (short) type.code());
        b.putShort(at + FLAGS_OFFSET, (short) flags);
        b.putInt(at + SLOT_OFFSET, 0);
        b.putLong(at + EPOCH_OFFSET, epoch);
        b.putLong(at + NUMBER_OFFSET, number);
    }

    /** Computes and stores the header CRC. */
    public static void seal(ByteBuffer b, int at) {
        b.putInt(at + HEADER_CRC_OFFSET, headerCrc(b, at));
    }

    public static boolean headerCrcMatches(ByteBuffer b, int at) {
        return b.getInt(at + HEADER_CRC_OFFSET) == headerCrc(b, at);
    }

    private static int headerCrc(ByteBuffer b, int at) {
        return Checksum.of(b, at + MAGIC_OFFSET, headerLength(b, at) - MAGIC_OFFSET);
    }

    /** How long the header of a frame with that type code may be, payload excluded. */
    public static int headerBytesMax(int typeCode) {
        FrameType type = FrameType.of(typeCode);
        if (type == FrameType.HELLO) {
            return WireLimits.FIRST_FRAME_BYTES_MAX;
        }
        return type == FrameType.STATUS_OK || type == FrameType.REBUILD_BEGIN || type == FrameType.LIST_REPLICAS_OK
                ? FRAME_BYTES_MAX
                : HEADER_BYTES_MAX;
    }

    private static boolean mayCarryPayload(int typeCode) {
        FrameType type = FrameType.of(typeCode);
        return type == FrameType.WRITE
                || type == FrameType.READ_OK
                || type == FrameType.LAYER_BLOCKS
                || type == FrameType.LOCAL_REPAIR;
    }

    /**
     * Checks the common header ({@link #HEADER_BYTES} bytes at {@code at}) before anything is allocated or waited for on its word: magic,
     * and lengths within the limits of the frame's type. Of an unknown type it allows {@link #HEADER_BYTES_MAX}, so that
     * the frame can be read and refused by name.
     *
     * @return the frame's whole length, at most {@link #FRAME_BYTES_MAX}
     * @throws io.longhorn.ProtocolException if this cannot be the start of a frame
     */
    public static int checkStart(ByteBuffer b, int at) {
        int magic = b.getInt(at + MAGIC_OFFSET);
        if (magic != MAGIC) {
            throw WireErrors.badMagic(magic);
        }
        if (!lengthsFit(b, at)) {
            throw WireErrors.badLengths(type(b, at), frameLength(b, at), payloadLength(b, at));
        }
        return frameLength(b, at);
    }

    /** Whether frame and payload length agree with each other and with the limits of the frame's type. */
    static boolean lengthsFit(ByteBuffer b, int at) {
        int frame = frameLength(b, at);
        int payload = payloadLength(b, at);
        int type = type(b, at);
        return frame >= HEADER_BYTES
                && frame <= FRAME_BYTES_MAX
                && frame % ALIGNMENT == 0
                && payload >= 0
                && payload <= (mayCarryPayload(type) ? PAYLOAD_BYTES_MAX : 0)
                && payload % BLOCK_BYTES == 0
                && frame - payload >= HEADER_BYTES
                && frame - payload <= headerBytesMax(type);
    }

    public static int align(int length) {
        return (length + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
