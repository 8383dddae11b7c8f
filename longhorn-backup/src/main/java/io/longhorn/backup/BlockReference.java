package io.longhorn.backup;

/**
 * A block of a backup.
 *
 * @param offsetBytes where it begins in the volume, a multiple of the backup's block size
 * @param checksum of the block, uncompressed, which it is stored under: 64 hexadecimal digits in lower case
 */
public record BlockReference(long offsetBytes, String checksum) {
    public BlockReference {
        checkOffset(offsetBytes);
        BlockChecksum.check(checksum);
    }

    static void checkOffset(long offsetBytes) {
        if (offsetBytes < 0) {
            throw new IllegalArgumentException("the offset of a block was " + offsetBytes);
        }
    }
}
