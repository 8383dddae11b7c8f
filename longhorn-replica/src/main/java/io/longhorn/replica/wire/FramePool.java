package io.longhorn.replica.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;

/**
 * Reuses the memory of frames by size class (powers of two from 256 bytes). Belongs to one loop. Keeps at most
 * {@link #KEPT_BYTES_MAX} of unused memory; what is in use is bounded by the callers' own limits.
 */
public final class FramePool {
    /** Unused memory kept for the next frames; more is left to the garbage collector. */
    public static final int KEPT_BYTES_MAX = 16 << 20;

    private static final int SMALLEST_SHIFT = 8;
    private static final int LARGEST_SHIFT = 20;

    private final ArrayDeque<FrameBuffer>[] free;
    private int keptBytes;
    private int leased;

    @SuppressWarnings({"unchecked", "rawtypes"})
    public FramePool() {
        free = new ArrayDeque[LARGEST_SHIFT - SMALLEST_SHIFT + 1];
        for (int i = 0; i < free.length; i++) {
            free[i] = new ArrayDeque<>();
        }
    }

    /** A frame with one reference, length 0 and room for {@code capacityBytes}; its bytes are whatever they were. */
    public FrameBuffer acquire(int capacityBytes) {
        int sizeClass = sizeClass(capacityBytes);
        FrameBuffer frame = free[sizeClass].pollLast();
        if (frame == null) {
            frame = new FrameBuffer(
                    this,
                    ByteBuffer.allocateDirect(1 << (sizeClass + SMALLEST_SHIFT)).order(ByteOrder.LITTLE_ENDIAN));
        } else {
            keptBytes -= frame.bytes().capacity();
        }
        frame.lease();
        leased++;
        return frame;
    }

    /** Frames handed out and not yet returned; zero when everything was released. */
    public int leased() {
        return leased;
    }

    void recycle(FrameBuffer frame) {
        leased--;
        int capacity = frame.bytes().capacity();
        if (keptBytes + capacity <= KEPT_BYTES_MAX) {
            keptBytes += capacity;
            free[sizeClass(capacity)].addLast(frame);
        }
    }

    private static int sizeClass(int capacityBytes) {
        if (capacityBytes < 0 || capacityBytes > 1 << LARGEST_SHIFT) {
            throw new IllegalArgumentException(
                    "frame of " + capacityBytes + " bytes; expected at most " + (1 << LARGEST_SHIFT));
        }
        int shift = 32 - Integer.numberOfLeadingZeros(Math.max(capacityBytes, 1) - 1);
        return Math.max(shift, SMALLEST_SHIFT) - SMALLEST_SHIFT;
    }
}
