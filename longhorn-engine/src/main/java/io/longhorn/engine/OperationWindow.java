package io.longhorn.engine;

import io.longhorn.replica.wire.FrameBuffer;

/**
 * The sequenced operations between the oldest that is not over and the newest: a ring indexed by sequence. It answers which
 * blocks are in flight, and holds the frames that a reconnecting replica may still need. Engine loop only.
 *
 * <p>Three marks move through it: {@code committed} (journaled by the whole view), {@code durable} (stable on the whole view) and the
 * oldest slot, which follows when the operation's own condition is met.
 */
final class OperationWindow {
    private final Operation[] slots;
    private final int mask;
    private long oldest = 1;
    private long next = 1;
    private long frameBytes;

    OperationWindow(int operationsMax) {
        int size = Integer.highestOneBit(Math.max(operationsMax, 1) * 2 - 1);
        slots = new Operation[size];
        for (int i = 0; i < size; i++) {
            slots[i] = new Operation();
        }
        mask = size - 1;
    }

    /** Starts, or starts over, behind {@code lastSequence}. */
    void startAfter(long lastSequence) {
        if (!isEmpty()) {
            throw new IllegalStateException("window holds operations");
        }
        oldest = lastSequence + 1;
        next = lastSequence + 1;
    }

    boolean isFull() {
        return next - oldest > mask;
    }

    boolean isEmpty() {
        return next == oldest;
    }

    int size() {
        return (int) (next - oldest);
    }

    long lastSequence() {
        return next - 1;
    }

    long oldestSequence() {
        return oldest;
    }

    /** Bytes of frames that are held. */
    long frameBytes() {
        return frameBytes;
    }

    /** The operation with that sequence, which must be inside. */
    Operation get(long sequence) {
        return slots[(int) sequence & mask];
    }

    /** Gives out the next sequence. */
    Operation add(FrameBuffer frame) {
        if (isFull()) {
            throw new IllegalStateException("window of " + slots.length + " operations is full");
        }
        Operation operation = slots[(int) next & mask];
        operation.sequence = next++;
        operation.frame = frame;
        return operation;
    }

    /** The operation's frame has its final length. */
    void frameEncoded(Operation operation) {
        FrameBuffer frame = operation.frame;
        frameBytes += frame == null ? 0 : frame.length();
    }

    /** Lets go of the frame of a committed operation. */
    void releaseFrame(Operation operation) {
        FrameBuffer frame = operation.frame;
        if (frame != null) {
            operation.frame = null;
            frameBytes -= frame.length();
            frame.release();
        }
    }

    /** Frees the oldest slot. */
    void removeOldest() {
        Operation operation = slots[(int) oldest & mask];
        releaseFrame(operation);
        operation.request = null;
        oldest++;
    }

    /** Highest sequence beyond {@code committed} of an operation that touches [first, end), or 0. */
    long newestOverlap(long first, long end, long committed) {
        for (long s = next - 1, low = Math.max(oldest, committed + 1); s >= low; s--) {
            if (slots[(int) s & mask].overlaps(first, end)) {
                return s;
            }
        }
        return 0;
    }
}
