package io.longhorn.replica.wire;

/** State of a block in one layer. The codes stand on wire and disk. */
public enum BlockState {
    /** The layer says nothing about the block; its parent decides, and without a parent it reads as zeroes. */
    ABSENT,
    /** The layer's data file holds the block. */
    DATA,
    /** The block reads as zeroes, whatever the parents hold. */
    ZEROED;

    private static final BlockState[] VALUES = values();

    public int code() {
        return ordinal();
    }

    public static BlockState of(int code) {
        if (code < 0 || code >= VALUES.length) {
            throw WireErrors.badField("block state", code, "0 (absent), 1 (data) or 2 (zeroed)");
        }
        return VALUES[code];
    }
}
