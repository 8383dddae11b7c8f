package io.longhorn.replica.layer;

import io.longhorn.replica.wire.AlignedMemory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Pages of block maps in memory, for all layers of a disk, bounded; all of them as they are on the disk. Which page goes when room is needed is decided by
 * a clock: the hand passes over pages used since its last round. Belongs to one loop, but for the buffers of walks.
 */
public final class MapPageCache {
    /** Maps of about 20 GiB of blocks. */
    public static final long DEFAULT_BYTES = 64L << 20;

    static final int PAGES_MIN = 64;
    /** A walk reads this many pages at once. */
    static final int WALK_PAGES = 32;

    /** Memory is taken from the system in portions of this many pages, as it is needed. */
    private static final int SLAB_PAGES = 64;

    private static final long NONE = 0;

    private final MapPage[] frames;
    private final long[] frameKeys;
    private final boolean[] used;
    /** Open addressing, linear probing: keys, and the frame of each. */
    private final long[] keys;

    private final int[] keyFrames;
    /** For the page that is looked at; the cache's own, because lookups happen one at a time. */
    private final MapPagePair pair = new MapPagePair();

    private final MapPage spare = new MapPage(ByteBuffer.allocateDirect(MapPage.BYTES));
    /** What the last walk read into, for the next one. Any thread. */
    private final AtomicReference<@Nullable ByteBuffer> walkBuffer = new AtomicReference<>();

    private int framesMade;
    private int hand;
    private int maps;
    private long hits;
    private long misses;

    /** Keeps at most {@code bytesMax} of pages, but at least {@link #PAGES_MIN} pages. */
    public MapPageCache(long bytesMax) {
        int pages = (int) Math.min(Math.max(bytesMax / MapPage.BYTES, PAGES_MIN), 1 << 26);
        frames = new MapPage[pages];
        frameKeys = new long[pages];
        used = new boolean[pages];
        int table = Integer.highestOneBit(pages - 1) << 2;
        keys = new long[table];
        keyFrames = new int[table];
    }

    /** A number for a map's pages; never given again. */
    int register() {
        return ++maps;
    }

    /** The page, or null if it is not here. */
    @Nullable
    MapPage get(int map, long page) {
        int slot = find(key(map, page));
        if (keys[slot] == NONE) {
            misses++;
            return null;
        }
        hits++;
        int frame = keyFrames[slot];
        used[frame] = true;
        return frames[frame];
    }

    /** Room for a page that is not here, in place of another one; the caller fills it at once. */
    MapPage put(int map, long page) {
        long key = key(map, page);
        int frame = framesMade < frames.length ? make() : evict();
        int slot = find(key);
        keys[slot] = key;
        keyFrames[slot] = frame;
        frameKeys[frame] = key;
        // Not yet: a page that is looked at once goes before the ones that are looked at again.
        used[frame] = false;
        return frames[frame];
    }

    /** Forgets a page. */
    void remove(int map, long page) {
        int slot = find(key(map, page));
        if (keys[slot] != NONE) {
            int frame = keyFrames[slot];
            frameKeys[frame] = NONE;
            used[frame] = false;
            vacate(slot);
        }
    }

    /** Where a lookup reads a page's copies into. */
    MapPagePair pair() {
        return pair;
    }

    /** For a page that must not be kept. */
    MapPage spare() {
        return spare;
    }

    /** Room for both copies of {@link #WALK_PAGES} pages. Any thread. */
    ByteBuffer takeWalkBuffer() {
        ByteBuffer kept = walkBuffer.getAndSet(null);
        return kept != null ? kept : AlignedMemory.allocate(WALK_PAGES * MapPagePair.BYTES);
    }

    void giveWalkBuffer(ByteBuffer buffer) {
        walkBuffer.set(buffer);
    }

    long hits() {
        return hits;
    }

    /** A rising share of misses means that the cache is too small for what is read. */
    long misses() {
        return misses;
    }

    /** Pages in memory at most. */
    int capacity() {
        return frames.length;
    }

    private static long key(int map, long page) {
        return (long) map << 32 | page;
    }

    private int make() {
        if (framesMade % SLAB_PAGES == 0) {
            int pages = Math.min(SLAB_PAGES, frames.length - framesMade);
            ByteBuffer slab = AlignedMemory.allocate(pages * MapPage.BYTES);
            for (int i = 0; i < pages; i++) {
                frames[framesMade + i] = new MapPage(slab.slice(i * MapPage.BYTES, MapPage.BYTES));
            }
        }
        return framesMade++;
    }

    private int evict() {
        while (used[hand]) {
            used[hand] = false;
            advance();
        }
        int frame = hand;
        advance();
        if (frameKeys[frame] != NONE) {
            vacate(find(frameKeys[frame]));
            frameKeys[frame] = NONE;
        }
        return frame;
    }

    private void advance() {
        hand = hand + 1 == frames.length ? 0 : hand + 1;
    }

    /** Where the key stands, or the empty place where it would. */
    private int find(long key) {
        int slot = home(key);
        while (keys[slot] != NONE && keys[slot] != key) {
            slot = slot + 1 & keys.length - 1;
        }
        return slot;
    }

    private int home(long key) {
        long mixed = key * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & keys.length - 1;
    }

    /** Empties a place and moves back what stands behind it only because it was taken. */
    private void vacate(int slot) {
        int hole = slot;
        for (int next = hole + 1 & keys.length - 1; keys[next] != NONE; next = next + 1 & keys.length - 1) {
            int home = home(keys[next]);
            boolean homeBehindHole = hole <= next ? hole < home && home <= next : hole < home || home <= next;
            if (!homeBehindHole) {
                keys[hole] = keys[next];
                keyFrames[hole] = keyFrames[next];
                hole = next;
            }
        }
        keys[hole] = NONE;
    }

    @Override
    public String toString() {
        long inUse = Arrays.stream(frameKeys).filter(key -> key != NONE).count();
        return "MapPageCache[" + inUse + " of " + frames.length + " pages]";
    }
}
