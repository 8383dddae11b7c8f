package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * Blocks of one layer with their map entries: a source replica's answer to LAYER_READ, forwarded by the engine to a replica that is being
 * rebuilt with only request id, epoch and session changed. See {@code docs/format/wire.md}, section 8.
 *
 * <pre>
 *  40        48            56               64           72           76         80
 *  | session | layer epoch | layer sequence | next block | entry count | reserved | entries | payload
 *  entry (24 bytes): block u64 | state (2 high bits) and sequence (62 low bits) u64 | CRC u32 | reserved u32
 * </pre>
 *
 * The payload holds the blocks of the DATA entries, in the entries' order. {@code next block} is where the source's walk through the layer
 * goes on, or -1 at its end. Beside the states of {@link BlockState} an entry may be damaged: the source has the block, but not its bytes.
 */
public final class LayerBlocksLayout {
    public static final int SESSION_OFFSET = 40;
    public static final int LAYER_EPOCH_OFFSET = 48;
    public static final int LAYER_SEQUENCE_OFFSET = 56;
    public static final int NEXT_BLOCK_OFFSET = 64;
    public static final int ENTRY_COUNT_OFFSET = 72;
    public static final int ENTRIES_OFFSET = 80;
    public static final int ENTRY_BYTES = 24;
    /** Entries of one frame at most, so that its header stays within {@link FrameLayout#HEADER_BYTES_MAX}. */
    public static final int ENTRIES_MAX = 2048;

    private static final int STATE_SHIFT = 62;
    private static final int DAMAGED_CODE = 3;
    private static final long SEQUENCE_MASK = (1L << STATE_SHIFT) - 1;

    private LayerBlocksLayout() {}

    public static int headerLength(int entries) {
        return ENTRIES_OFFSET + ENTRY_BYTES * entries;
    }

    public static void putEntry(ByteBuffer b, int index, long block, BlockState state, long sequence, int crc) {
        putEntry(b, index, block, state.code(), sequence, crc);
    }

    /** An entry without its bytes: they are lost. Sequence and CRC are the entry's, or 0 if the entry itself is lost. */
    public static void putDamaged(ByteBuffer b, int index, long block, long sequence, int crc) {
        putEntry(b, index, block, DAMAGED_CODE, sequence, crc);
    }

    private static void putEntry(ByteBuffer b, int index, long block, int stateCode, long sequence, int crc) {
        if ((sequence & ~SEQUENCE_MASK) != 0) {
            throw new IllegalArgumentException("sequence " + sequence + " does not fit 62 bits");
        }
        int at = ENTRIES_OFFSET + ENTRY_BYTES * index;
        b.putLong(at, block);
        b.putLong(at + 8, (long) stateCode << STATE_SHIFT | sequence);
        b.putInt(at + 16, crc);
        b.putInt(at + 20, 0);
    }

    /** Completes a frame whose entries and payload (behind {@link #headerLength}) stand. */
    public static void encode(
            FrameBuffer frame, long epoch, long request, LayerId layer, long nextBlock, int entries, int dataBlocks) {
        ByteBuffer b = frame.bytes();
        int header = headerLength(entries);
        int payload = dataBlocks * FrameLayout.BLOCK_BYTES;
        FrameLayout.encode(b, 0, FrameType.LAYER_BLOCKS, 0, header + payload, payload, epoch, request);
        b.putLong(SESSION_OFFSET, 0);
        b.putLong(LAYER_EPOCH_OFFSET, layer.epoch());
        b.putLong(LAYER_SEQUENCE_OFFSET, layer.sequence());
        b.putLong(NEXT_BLOCK_OFFSET, nextBlock);
        b.putInt(ENTRY_COUNT_OFFSET, entries);
        b.putInt(ENTRY_COUNT_OFFSET + 4, 0);
        FrameLayout.seal(b, 0);
        frame.length(header + payload);
    }

    /** Readdresses a received frame for the target of a rebuild. */
    public static void readdress(ByteBuffer b, int at, long epoch, long request, long session) {
        b.putLong(at + FrameLayout.EPOCH_OFFSET, epoch);
        b.putLong(at + FrameLayout.NUMBER_OFFSET, request);
        b.putLong(at + SESSION_OFFSET, session);
        FrameLayout.seal(b, at);
    }

    /** Makes a DATA entry a damaged one and takes its bytes out of the frame. {@link #readdress} seals the frame again. */
    public static void giveUp(ByteBuffer b, int at, int index) {
        int block = FrameLayout.BLOCK_BYTES;
        int from = at + headerLength(entryCount(b, at)) + dataBlocksBefore(b, at, index) * block;
        int frame = FrameLayout.frameLength(b, at);
        b.put(from, b, from + block, at + frame - from - block);
        b.putInt(at + FrameLayout.FRAME_LENGTH_OFFSET, frame - block);
        b.putInt(at + FrameLayout.PAYLOAD_LENGTH_OFFSET, FrameLayout.payloadLength(b, at) - block);
        int entry = at + ENTRIES_OFFSET + ENTRY_BYTES * index;
        b.putLong(entry + 8, (long) DAMAGED_CODE << STATE_SHIFT | sequence(b, at, index));
    }

    private static int dataBlocksBefore(ByteBuffer b, int at, int index) {
        int blocks = 0;
        for (int i = 0; i < index; i++) {
            blocks += stateCode(b, at, i) == BlockState.DATA.code() ? 1 : 0;
        }
        return blocks;
    }

    public static long session(ByteBuffer b, int at) {
        return b.getLong(at + SESSION_OFFSET);
    }

    public static LayerId layer(ByteBuffer b, int at) {
        return new LayerId(b.getLong(at + LAYER_EPOCH_OFFSET), b.getLong(at + LAYER_SEQUENCE_OFFSET));
    }

    public static long nextBlock(ByteBuffer b, int at) {
        return b.getLong(at + NEXT_BLOCK_OFFSET);
    }

    public static int entryCount(ByteBuffer b, int at) {
        return b.getInt(at + ENTRY_COUNT_OFFSET);
    }

    public static long block(ByteBuffer b, int at, int index) {
        return b.getLong(at + ENTRIES_OFFSET + ENTRY_BYTES * index);
    }

    /** Whether the source has lost the entry's bytes. Such an entry has no {@link #state}. */
    public static boolean isDamaged(ByteBuffer b, int at, int index) {
        return stateCode(b, at, index) == DAMAGED_CODE;
    }

    /** The first damaged entry from {@code from} on, or -1. */
    public static int damaged(ByteBuffer b, int at, int from) {
        for (int i = from, entries = entryCount(b, at); i < entries; i++) {
            if (isDamaged(b, at, i)) {
                return i;
            }
        }
        return -1;
    }

    /** State of an entry that is not damaged. */
    public static BlockState state(ByteBuffer b, int at, int index) {
        return BlockState.of(stateCode(b, at, index));
    }

    public static long sequence(ByteBuffer b, int at, int index) {
        return b.getLong(at + ENTRIES_OFFSET + ENTRY_BYTES * index + 8) & SEQUENCE_MASK;
    }

    public static int crc(ByteBuffer b, int at, int index) {
        return b.getInt(at + ENTRIES_OFFSET + ENTRY_BYTES * index + 16);
    }

    /**
     * Whether the frame at {@code at} is a whole and consistent LAYER_BLOCKS. The blocks themselves are not looked at: {@link #matches}.
     *
     * @param available bytes of {@code b} from {@code at} on that were received
     */
    public static FrameFault check(ByteBuffer b, int at, int available) {
        FrameFault fault = FrameCheck.plain(b, at, available, FrameType.LAYER_BLOCKS);
        if (fault != FrameFault.NONE) {
            return fault;
        }
        int header = FrameLayout.headerLength(b, at);
        if (header < ENTRIES_OFFSET) {
            return FrameFault.COUNTS;
        }
        int entries = entryCount(b, at);
        if (entries < 0 || entries > ENTRIES_MAX || header != headerLength(entries)) {
            return FrameFault.COUNTS;
        }
        boolean sane = FrameCheck.isLayerId(b.getLong(at + LAYER_EPOCH_OFFSET), b.getLong(at + LAYER_SEQUENCE_OFFSET))
                && nextBlock(b, at) >= -1
                && b.getInt(at + ENTRY_COUNT_OFFSET + 4) == 0;
        return sane ? checkEntries(b, at, entries) : FrameFault.FIELD;
    }

    private static FrameFault checkEntries(ByteBuffer b, int at, int entries) {
        int dataBlocks = 0;
        for (int i = 0; i < entries; i++) {
            int stateCode = stateCode(b, at, i);
            boolean known = BlockState.isCode(stateCode)
                    || (stateCode == DAMAGED_CODE && (sequence(b, at, i) > 0 || crc(b, at, i) == 0));
            if (!known || block(b, at, i) < 0 || reserved(b, at, i) != 0) {
                return FrameFault.FIELD;
            }
            if (stateCode == BlockState.DATA.code()) {
                dataBlocks++;
            }
        }
        return FrameLayout.payloadLength(b, at) == dataBlocks * FrameLayout.BLOCK_BYTES
                ? FrameFault.NONE
                : FrameFault.COUNTS;
    }

    /** Whether {@link #check} finds nothing wrong with a frame that was received whole, and each DATA entry's bytes match its CRC. */
    public static boolean matches(ByteBuffer b, int at) {
        return check(b, at, FrameLayout.frameLength(b, at)) == FrameFault.NONE && mismatch(b, at, 0) < 0;
    }

    /** The first entry from {@code from} on whose bytes do not match its CRC, or -1; of a frame in which {@link #check} finds nothing wrong. */
    public static int mismatch(ByteBuffer b, int at, int from) {
        int entries = entryCount(b, at);
        int payload = at + headerLength(entries);
        for (int i = 0; i < entries; i++) {
            if (stateCode(b, at, i) == BlockState.DATA.code()) {
                if (i >= from && Checksum.block(b, payload) != crc(b, at, i)) {
                    return i;
                }
                payload += FrameLayout.BLOCK_BYTES;
            }
        }
        return -1;
    }

    private static int stateCode(ByteBuffer b, int at, int index) {
        return (int) (b.getLong(at + ENTRIES_OFFSET + ENTRY_BYTES * index + 8) >>> STATE_SHIFT);
    }

    private static int reserved(ByteBuffer b, int at, int index) {
        return b.getInt(at + ENTRIES_OFFSET + ENTRY_BYTES * index + 20);
    }
}
