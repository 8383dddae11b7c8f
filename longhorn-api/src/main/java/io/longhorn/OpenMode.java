package io.longhorn;

/** How a volume is opened. */
public enum OpenMode {

    /** Everything is allowed. */
    READ_WRITE,

    /**
     * Changes of content, size and snapshots are refused with {@link ReadOnlyVolumeException}. Lost replicas are still
     * rebuilt and damaged blocks still repaired: that keeps what the volume holds, and changes none of it.
     */
    READ_ONLY
}
