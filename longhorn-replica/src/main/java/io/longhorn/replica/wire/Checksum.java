package io.longhorn.replica.wire;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C (Castagnoli, RFC 3720 appendix B.4) over parts of buffers. Moves the buffer's position and limit for the
 * duration of the call, so the buffer must not be in use by another thread.
 */
public final class Checksum {
    /** One for each thread: whether the compiler would do without the object depends on what it inlined, and a frame is checked for every operation. */
    private static final ThreadLocal<CRC32C> CRC = ThreadLocal.withInitial(CRC32C::new);

    /** CRC32C of one block of zeroes. */
    public static final int ZERO_BLOCK = block(ByteBuffer.allocate(FrameLayout.BLOCK_BYTES), 0);

    private Checksum() {}

    /** CRC of the block at {@code at}. */
    public static int block(ByteBuffer b, int at) {
        return of(b, at, FrameLayout.BLOCK_BYTES);
    }

    /** CRC of {@code length} bytes at {@code at}. */
    public static int of(ByteBuffer b, int at, int length) {
        int position = b.position();
        int limit = b.limit();
        b.limit(at + length).position(at);
        CRC32C crc = CRC.get();
        crc.reset();
        crc.update(b);
        b.limit(limit).position(position);
        return (int) crc.getValue();
    }
}
