package io.longhorn.engine;

import io.longhorn.replica.wire.FrameLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Confirmed content of blocks that were read, in pages outside the heap. One thread, the engine's loop, fills and invalidates; any thread may
 * look up, without a lock: a page carries a version that is odd while it changes, and a hit compares it before and after the copy.
 *
 * <p>A block may stand in one set of {@link #WAYS} pages only. Within a set the page used least often since the last rounds of ageing makes way, and a
 * newcomer must have been wanted as often as the page it would drive out (the idea of frequency-based admission), so that one long scan does not
 * empty the cache. Memory is taken in chunks as it is first needed: an idle volume has none.
 */
final class ReadCache {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final int WAYS = 8;
    private static final int CHUNK_PAGES = 256;
    private static final int USES_MAX = 15;
    private static final int STRIPES = 1024;

    private final int sets;
    private final AtomicLongArray keys;
    private final AtomicIntegerArray versions;
    private final byte[] uses;
    private final AtomicReferenceArray<ByteBuffer> chunks;
    /** Sequenced operations seen per stripe of blocks: a fill is void if its stripe moved since the read was issued. */
    private final int[] operationsSeen = new int[STRIPES];

    private int operationsOnAll;

    ReadCache(long bytes) {
        long pages = bytes / BLOCK;
        sets = pages < WAYS ? 0 : Integer.highestOneBit((int) Math.min(pages / WAYS, 1 << 24));
        keys = new AtomicLongArray(sets * WAYS);
        versions = new AtomicIntegerArray(sets * WAYS);
        uses = new byte[sets * WAYS];
        chunks = new AtomicReferenceArray<>((sets * WAYS + CHUNK_PAGES - 1) / CHUNK_PAGES);
    }

    /** Whether there is room for anything. Any thread. */
    boolean isOn() {
        return sets > 0;
    }

    private int set(long block) {
        long hash = block * 0x9E3779B97F4A7C15L;
        return (int) (hash >>> 32) & (sets - 1);
    }

    private static int stripe(long block) {
        return (int) block & (STRIPES - 1);
    }

    /**
     * Copies {@code length} bytes from {@code from} within the block to {@code target[at...]} if the block is cached. Any thread; the caller
     * checks its right to read (the lease) with a clock read before this call.
     */
    boolean copy(long block, int from, int length, ByteBuffer target, int at) {
        if (sets == 0) {
            return false;
        }
        int base = set(block) * WAYS;
        for (int i = base; i < base + WAYS; i++) {
            if (keys.get(i) == block + 1) {
                int version = versions.get(i);
                ByteBuffer chunk = chunks.get(i / CHUNK_PAGES);
                if ((version & 1) != 0 || chunk == null) {
                    return false;
                }
                target.put(at, chunk, i % CHUNK_PAGES * BLOCK + from, length);
                VarHandle.acquireFence();
                boolean unchanged = keys.get(i) == block + 1 && versions.get(i) == version;
                if (unchanged && uses[i] < USES_MAX) {
                    uses[i]++;
                }
                return unchanged;
            }
        }
        return false;
    }

    /** To be remembered when a read of the block is issued and given back to {@link #fill}. Loop only. */
    int ticket(long block) {
        return operationsSeen[stripe(block)] + operationsOnAll;
    }

    /** Takes in a block's confirmed content unless an operation on it was sequenced since the ticket was given. Loop only. */
    void fill(long block, ByteBuffer source, int at, int ticket) {
        if (sets == 0 || ticket != ticket(block)) {
            return;
        }
        int slot = slotFor(block);
        if (slot < 0) {
            return;
        }
        int chunkIndex = slot / CHUNK_PAGES;
        ByteBuffer chunk = chunks.get(chunkIndex);
        if (chunk == null) {
            chunk = ByteBuffer.allocateDirect(CHUNK_PAGES * BLOCK);
            chunks.set(chunkIndex, chunk);
        }
        int version = versions.get(slot);
        versions.set(slot, version + 1);
        VarHandle.fullFence();
        chunk.put(slot % CHUNK_PAGES * BLOCK, source, at, BLOCK);
        keys.set(slot, block + 1);
        uses[slot] = 1;
        VarHandle.fullFence();
        versions.set(slot, version + 2);
    }

    private int slotFor(long block) {
        int base = set(block) * WAYS;
        int victim = base;
        for (int i = base; i < base + WAYS; i++) {
            long key = keys.get(i);
            if (key == block + 1 || key == 0) {
                return i;
            }
            if (uses[i] < uses[victim]) {
                victim = i;
            }
        }
        if (uses[victim] > 0) {
            for (int i = base; i < base + WAYS; i++) {
                uses[i]--;
            }
            return -1;
        }
        return victim;
    }

    /** An operation on [firstBlock, endBlock) was sequenced: what was cached of it is old. Loop only. */
    void invalidate(long firstBlock, long endBlock) {
        if (sets == 0 || firstBlock >= endBlock) {
            return;
        }
        if (endBlock - firstBlock > STRIPES) {
            operationsOnAll++;
            dropRange(firstBlock, endBlock);
            return;
        }
        for (long block = firstBlock; block < endBlock; block++) {
            operationsSeen[stripe(block)]++;
            int base = set(block) * WAYS;
            for (int i = base; i < base + WAYS; i++) {
                if (keys.get(i) == block + 1) {
                    drop(i);
                }
            }
        }
    }

    private void dropRange(long firstBlock, long endBlock) {
        for (int i = 0; i < keys.length(); i++) {
            long block = keys.get(i) - 1;
            if (block >= firstBlock && block < endBlock) {
                drop(i);
            }
        }
    }

    private void drop(int slot) {
        versions.incrementAndGet(slot);
        keys.set(slot, 0);
        uses[slot] = 0;
        versions.incrementAndGet(slot);
    }

    /** Everything changed. Loop only. */
    void clear() {
        operationsOnAll++;
        dropRange(0, Long.MAX_VALUE);
    }

    /** Nothing may be read any more; the memory goes with the last reader. Loop only. */
    void close() {
        clear();
        for (int i = 0; i < chunks.length(); i++) {
            chunks.set(i, null);
        }
    }
}
