package io.longhorn;

import java.io.Serial;

/** No replica in sync has a copy of a block that matches its checksum. Writing the whole block heals it. */
public final class DamagedBlockException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final long block;

    public DamagedBlockException(String volume, long block) {
        super(
                ErrorCode.DAMAGED_BLOCK,
                "block " + block + " of volume " + volume + " (offset " + block * Volume.BLOCK_BYTES
                        + ") is damaged on every replica; overwrite it, or restore it from a backup");
        this.volume = volume;
        this.block = block;
    }

    public String volume() {
        return volume;
    }

    /** The number of the block; its offset is this times {@link Volume#BLOCK_BYTES}. */
    public long block() {
        return block;
    }
}
