package io.longhorn;

import java.util.Objects;

/**
 * A range in which all blocks are of one state.
 *
 * @param offsetBytes where it begins, 0 or more
 * @param lengthBytes how long it is, at least 1
 * @param state what its blocks hold
 */
public record Extent(long offsetBytes, long lengthBytes, ExtentState state) {

    public Extent {
        if (offsetBytes < 0 || lengthBytes < 1 || offsetBytes > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException(
                    "not a range: offsetBytes " + offsetBytes + ", lengthBytes " + lengthBytes);
        }
        Objects.requireNonNull(state, "state");
    }

    /** The offset just behind the range. */
    public long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
