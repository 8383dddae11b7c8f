package io.longhorn.frontend;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;

/**
 * Where the frontends' buffers come from: a pool, which gives out again what was given back last, so that the processor still has it in its cache. Direct buffers begin at a line of
 * the cache; without that, large ones would begin 16 bytes behind the beginning of a page, where some processors (seen on an AMD EPYC with fast short {@code rep movsb}) take several times as long for the
 * kernel's copies. Netty aligns them only where it may use {@code Unsafe}, so not on JDK 25 by default. Any thread.
 */
public final class FrontendMemory {

    private static final int ALIGNMENT = 64;

    private static final ByteBufAllocator POOL = new PooledByteBufAllocator(
            true,
            PooledByteBufAllocator.defaultNumHeapArena(),
            PooledByteBufAllocator.defaultNumDirectArena(),
            PooledByteBufAllocator.defaultPageSize(),
            PooledByteBufAllocator.defaultMaxOrder(),
            PooledByteBufAllocator.defaultSmallCacheSize(),
            PooledByteBufAllocator.defaultNormalCacheSize(),
            PooledByteBufAllocator.defaultUseCacheForAllThreads(),
            PooledByteBufAllocator.isDirectMemoryCacheAlignmentSupported() ? ALIGNMENT : 0);

    private FrontendMemory() {}

    /** The one pool of all frontends of this process. */
    public static ByteBufAllocator pool() {
        return POOL;
    }
}
