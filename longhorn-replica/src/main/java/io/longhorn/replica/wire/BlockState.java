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

    /** Whether {@link #of} knows the code. */
    public static boolean isCode(int code) {
        return code >= 0 && code < VALUES.length;
    }

    public static BlockState of(int code) {
        if (!isCode(code)) {
            throw WireErrors.badField("block state", code, "0 (absent), 1 (data) or 2 (zeroed)");
        }
        return VALUES[code];
    }
}
