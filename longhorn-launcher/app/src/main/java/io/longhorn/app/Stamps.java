package io.longhorn.app;

import java.nio.ByteBuffer;

/** Content of blocks that tells what it is: which block, which version, and every byte follows from these two. */
final class Stamps {

    private Stamps() {}

    /** Fills the block's buffer from position 0 to its capacity, a multiple of 8, and leaves it ready for writing. */
    static void fill(ByteBuffer block, long number, long version) {
        block.clear();
        long state = seed(number, version);
        block.putLong(number).putLong(version);
        while (block.hasRemaining()) {
            state = next(state);
            block.putLong(state);
        }
        block.flip();
    }

    /** Whether the buffer, from position 0 to its capacity, is exactly that block in that version; version 0 is zeroes. */
    static boolean matches(ByteBuffer block, long number, long version) {
        if (version == 0) {
            return isZero(block);
        }
        if (block.getLong(0) != number || block.getLong(Long.BYTES) != version) {
            return false;
        }
        long state = seed(number, version);
        for (int at = 2 * Long.BYTES; at < block.capacity(); at += Long.BYTES) {
            state = next(state);
            if (block.getLong(at) != state) {
                return false;
            }
        }
        return true;
    }

    static boolean isZero(ByteBuffer block) {
        for (int at = 0; at < block.capacity(); at += Long.BYTES) {
            if (block.getLong(at) != 0) {
                return false;
            }
        }
        return true;
    }

    private static long seed(long number, long version) {
        return next((number + 1) * 0x9E3779B97F4A7C15L + version);
    }

    /** A step of xorshift64; never 0 for a start that is not 0. */
    private static long next(long state) {
        long x = state == 0 ? 1 : state;
        x ^= x << 13;
        x ^= x >>> 7;
        x ^= x << 17;
        return x;
    }
}
