package io.longhorn.engine;

import io.longhorn.replica.wire.FrameBuffer;
import org.jspecify.annotations.Nullable;

/** A sequenced operation that is not over: one slot of the {@link OperationWindow}, used again and again. */
final class Operation {
    long sequence;
    /** Blocks whose content this changes: [firstBlock, endBlock). */
    long firstBlock;

    long endBlock;
    /** Confirmed only at durable. */
    boolean forced;

    long sentNanos;
    long sentWallMillis;

    @Nullable
    FrameBuffer frame;

    @Nullable
    Request request;

    boolean overlaps(long first, long end) {
        return firstBlock < end && first < endBlock;
    }
}
