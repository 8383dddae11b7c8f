package io.longhorn;

import java.io.Serial;

/**
 * A range that is not inside its volume or snapshot. An argument error, hence no {@link LonghornException}.
 */
public final class OutOfRangeException extends IllegalArgumentException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final long offsetBytes;
    private final long lengthBytes;
    private final long sizeBytes;

    public OutOfRangeException(long offsetBytes, long lengthBytes, long sizeBytes) {
        super("range of " + lengthBytes + " bytes at offset " + offsetBytes + " is not inside 0.." + sizeBytes);
        this.offsetBytes = offsetBytes;
        this.lengthBytes = lengthBytes;
        this.sizeBytes = sizeBytes;
    }

    /**
     * Checks a range; an empty one may lie at the end.
     *
     * @throws OutOfRangeException if it is not inside 0 to {@code sizeBytes}
     */
    public static void check(long offsetBytes, long lengthBytes, long sizeBytes) {
        // Written so that no sum can overflow.
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > sizeBytes || lengthBytes > sizeBytes - offsetBytes) {
            throw new OutOfRangeException(offsetBytes, lengthBytes, sizeBytes);
        }
    }

    public long offsetBytes() {
        return offsetBytes;
    }

    public long lengthBytes() {
        return lengthBytes;
    }

    /** The size of what the range should have been inside. */
    public long sizeBytes() {
        return sizeBytes;
    }
}
