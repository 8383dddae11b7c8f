package io.longhorn.replica.layer;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** A set of a map's page numbers: a bit per page, in chunks that are made when the first bit of them is set. Any thread. */
final class PageSet {
    /** Pages of a chunk. A chunk of 512 bytes covers 5 GiB of blocks. */
    private static final int CHUNK_PAGES = 4096;

    private final AtomicReferenceArray<@Nullable AtomicLongArray> chunks;

    /** A set of page numbers below {@code pages}. */
    PageSet(long pages) {
        chunks = new AtomicReferenceArray<>((int) ((pages + CHUNK_PAGES - 1) / CHUNK_PAGES));
    }

    /** The same set with room for more pages. Not beside changes of this one. */
    PageSet resized(long pages) {
        PageSet larger = new PageSet(pages);
        for (int i = 0; i < Math.min(chunks.length(), larger.chunks.length()); i++) {
            larger.chunks.set(i, chunks.get(i));
        }
        return larger;
    }

    boolean contains(long page) {
        AtomicLongArray chunk = chunks.get((int) (page / CHUNK_PAGES));
        return chunk != null && (chunk.get(word(page)) & bit(page)) != 0;
    }

    void add(long page) {
        int index = (int) (page / CHUNK_PAGES);
        AtomicLongArray chunk = chunks.get(index);
        if (chunk == null) {
            chunks.compareAndSet(index, null, new AtomicLongArray(CHUNK_PAGES / Long.SIZE));
            chunk = chunks.get(index);
        }
        if (chunk != null) {
            chunk.accumulateAndGet(word(page), bit(page), (present, mask) -> present | mask);
        }
    }

    void remove(long page) {
        AtomicLongArray chunk = chunks.get((int) (page / CHUNK_PAGES));
        if (chunk != null) {
            chunk.accumulateAndGet(word(page), bit(page), (present, mask) -> present & ~mask);
        }
    }

    private static int word(long page) {
        return (int) (page % CHUNK_PAGES) / Long.SIZE;
    }

    private static long bit(long page) {
        return 1L << (page % Long.SIZE);
    }
}
