package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * Direct memory for what files and sockets are read into. The kernel's copies, which mostly begin at a page, take several times as long on some processors (seen on an AMD EPYC with fast short
 * {@code rep movsb}) into memory that begins 8 to 24 bytes behind the beginning of a page, and that is where the C library puts large memory: 16 bytes behind.
 */
public final class AlignedMemory {

    /** A line of the cache. */
    static final int ALIGNMENT = 64;

    private AlignedMemory() {}

    /** Zeroed memory whose address is a multiple of 64; big-endian, like any new buffer. */
    public static ByteBuffer allocate(int bytes) {
        int whole = Math.addExact(bytes, ALIGNMENT - 1) & -ALIGNMENT;
        return ByteBuffer.allocateDirect(Math.addExact(whole, ALIGNMENT - 1))
                .alignedSlice(ALIGNMENT)
                .slice(0, bytes);
    }
}
