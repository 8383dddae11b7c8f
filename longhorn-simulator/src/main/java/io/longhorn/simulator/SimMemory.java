package io.longhorn.simulator;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;

/**
 * Memory outside the heap that one run leaves to the next in the same thread: frames, and the buffers connections receive into. Shared by all
 * processes of a run on purpose: a frame that someone uses after its release is soon somebody else's.
 */
public final class SimMemory {
    static final int RECEIVE_BYTES = 2 * FrameLayout.FRAME_BYTES_MAX;
    private static final int SMALL_RECEIVE_BYTES = 64 << 10;

    private final ArrayDeque<ByteBuffer> large = new ArrayDeque<>();
    private final ArrayDeque<ByteBuffer> small = new ArrayDeque<>();
    private FramePool pool = new FramePool();

    public SimMemory() {}

    /** The pool of the present run. */
    public FramePool pool() {
        return pool;
    }

    /** Takes a pool that lost no frames to crashed processes. */
    public void freshPool() {
        pool = new FramePool();
    }

    ByteBuffer takeReceiveBuffer(int atLeast) {
        boolean isSmall = atLeast <= SMALL_RECEIVE_BYTES;
        ByteBuffer buffer = (isSmall ? small : large).pollLast();
        return buffer != null
                ? buffer.clear().order(ByteOrder.LITTLE_ENDIAN)
                : ByteBuffer.allocateDirect(isSmall ? SMALL_RECEIVE_BYTES : RECEIVE_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN);
    }

    void giveBack(ByteBuffer buffer) {
        (buffer.capacity() == SMALL_RECEIVE_BYTES ? small : large).addLast(buffer);
    }
}
