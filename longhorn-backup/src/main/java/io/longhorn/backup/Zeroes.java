package io.longhorn.backup;

import java.nio.ByteBuffer;

/** Looks for bytes that are not zero. */
final class Zeroes {
    private Zeroes() {}

    /** Whether all remaining bytes are zero; the buffer stays as it is. */
    static boolean isZero(ByteBuffer bytes) {
        int at = bytes.position();
        for (; at + Long.BYTES <= bytes.limit(); at += Long.BYTES) {
            if (bytes.getLong(at) != 0) {
                return false;
            }
        }
        for (; at < bytes.limit(); at++) {
            if (bytes.get(at) != 0) {
                return false;
            }
        }
        return true;
    }
}
