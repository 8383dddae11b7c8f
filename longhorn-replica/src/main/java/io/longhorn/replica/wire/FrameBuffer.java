package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * Direct memory that holds one encoded frame at {@code [0, length)}, little-endian, shared by counted references.
 * Belongs to the loop of its pool; neither the count nor the bytes are safe for other threads.
 */
public final class FrameBuffer {
    private final FramePool pool;
    private final ByteBuffer bytes;
    private int length;
    private int references;

    FrameBuffer(FramePool pool, ByteBuffer bytes) {
        this.pool = pool;
        this.bytes = bytes;
    }

    void lease() {
        references = 1;
        length = 0;
    }

    /** The memory, from index 0; use absolute access. Capacity may exceed what was asked for. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** Length of the frame in bytes. */
    public int length() {
        return length;
    }

    /** Sets the frame's length, at most the capacity. */
    public FrameBuffer length(int lengthBytes) {
        if (lengthBytes < 0 || lengthBytes > bytes.capacity()) {
            throw new IllegalArgumentException("length " + lengthBytes + " outside 0.." + bytes.capacity());
        }
        length = lengthBytes;
        return this;
    }

    /** Adds a reference. */
    public FrameBuffer retain() {
        if (references <= 0) {
            throw new IllegalStateException("frame was already released");
        }
        references++;
        return this;
    }

    /** Drops a reference; the last one returns the memory to its pool. */
    public void release() {
        if (references <= 0) {
            throw new IllegalStateException("frame was already released");
        }
        if (--references == 0) {
            pool.recycle(this);
        }
    }
}
