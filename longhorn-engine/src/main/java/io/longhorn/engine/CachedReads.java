package io.longhorn.engine;

import io.longhorn.replica.wire.FrameLayout;
import java.nio.ByteBuffer;

/**
 * Answers reads from the cache, on whatever thread asks: no hand-off, no lock. What is in the cache is confirmed, and goes when an operation on it is
 * sequenced; so a valid lease is all that a read needs besides.
 */
final class CachedReads {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final EngineCore core;

    CachedReads(EngineCore core) {
        this.core = core;
    }

    /**
     * Fills {@code target}'s remaining bytes from {@code offset} on if all of it is cached, and says whether; its position does not move, its bytes may have changed in any
     * case. Any thread.
     */
    boolean read(long offset, ByteBuffer target) {
        if (!core.cache.isOn() || !core.requests.limiter().isUnlimited()) {
            return false;
        }
        long began = core.loop.nanoTime();
        if (!core.reads.leaseAllows() || !copy(offset, target)) {
            return false;
        }
        int length = target.remaining();
        core.counters.reads.increment();
        core.counters.readBytes.add(length);
        core.counters.readNanos.add(core.loop.nanoTime() - began);
        core.counters.cacheHitBlocks.add((offset + length + BLOCK - 1) / BLOCK - offset / BLOCK);
        return true;
    }

    private boolean copy(long offset, ByteBuffer target) {
        long at = offset;
        int to = target.position();
        while (to < target.limit()) {
            int from = (int) (at % BLOCK);
            int length = Math.min(BLOCK - from, target.limit() - to);
            if (!core.cache.copy(at / BLOCK, from, length, target, to)) {
                return false;
            }
            at += length;
            to += length;
        }
        return true;
    }
}
