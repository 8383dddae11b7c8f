package io.longhorn.replica.layer;

import io.longhorn.replica.wire.BlockState;

/**
 * First word of a block map's entry, in memory as on disk: state in the 2 high bits, sequence of the block's last write in the 62 low ones. The
 * second word is the block's CRC32C, zero unless the state is DATA.
 */
public final class MapEntry {
    /** The layer says nothing about the block, and never did. */
    public static final long ABSENT = 0;
    /** What the layer says about the block was lost: see {@link #isDamaged}. */
    public static final long DAMAGED = 3L << 62;

    static final long SEQUENCE_MASK = (1L << 62) - 1;
    private static final int STATE_SHIFT = 62;

    private MapEntry() {}

    /** The first word of such an entry. */
    public static long of(BlockState state, long sequence) {
        return (long) state.code() << STATE_SHIFT | sequence;
    }

    /** Of the block's last write in the layer; 0 if there was none. */
    public static long sequence(long entry) {
        return entry & SEQUENCE_MASK;
    }

    /** Whether the layer says nothing about the block. */
    public static boolean isAbsent(long entry) {
        return entry >>> STATE_SHIFT == 0;
    }

    /** Whether the layer has the block's bytes. */
    public static boolean isData(long entry) {
        return entry >>> STATE_SHIFT == 1;
    }

    static boolean isZeroed(long entry) {
        return entry >>> STATE_SHIFT == 2;
    }

    /** The page that held the entry is damaged: neither state nor sequence is known. Not absent: the block must not be read from elsewhere. */
    public static boolean isDamaged(long entry) {
        return entry >>> STATE_SHIFT == 3;
    }

    /** State of an entry that is not damaged. */
    public static BlockState state(long entry) {
        return BlockState.of((int) (entry >>> STATE_SHIFT));
    }
}
