package io.longhorn.replica.wire;

import java.nio.ByteOrder;
import java.util.ArrayDeque;

/**
 * Reuses the memory of frames by size class: from 256 bytes to 1 MiB, powers of two and half-way between them, because a frame with
 * data is a power of two plus a header. Belongs to one loop. Keeps at most {@link #KEPT_BYTES_MAX} of unused memory; what is
 * in use is bounded by the callers' own limits.
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
        free = new ArrayDeque[2 * (LARGEST_SHIFT - SMALLEST_SHIFT) + 1];
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
                    this, AlignedMemory.allocate(classBytes(sizeClass)).order(ByteOrder.LITTLE_ENDIAN));
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
        if (capacityBytes < 0 || capacityBytes > FrameLayout.FRAME_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "frame of " + capacityBytes + " bytes; expected at most " + FrameLayout.FRAME_BYTES_MAX);
        }
        int bytes = Math.max(capacityBytes, 1 << SMALLEST_SHIFT);
        // The smallest power of two that is not less, and whether three quarters of it would do.
        int shift = 32 - Integer.numberOfLeadingZeros(bytes - 1);
        int sizeClass = 2 * (shift - SMALLEST_SHIFT);
        return sizeClass > 0 && bytes <= 3 << (shift - 2) ? sizeClass - 1 : sizeClass;
    }

    /** Even classes are powers of two, odd ones lie half-way to the next. */
    private static int classBytes(int sizeClass) {
        int power = 1 << (SMALLEST_SHIFT + sizeClass / 2);
        return (sizeClass & 1) == 0 ? power : power + power / 2;
    }
}
