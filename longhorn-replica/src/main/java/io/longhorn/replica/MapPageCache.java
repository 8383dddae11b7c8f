package io.longhorn.replica;

/** Pages of block maps in memory, for all layers of a disk, bounded. Belongs to one loop. */
@SuppressWarnings("DoNotCallSuggester")
final class MapPageCache {
    /** Maps of about 20 GiB of blocks. */
    static final long DEFAULT_BYTES = 64L << 20;

    /** Keeps at most {@code bytesMax} of pages, but at least 64 pages. */
    MapPageCache(long bytesMax) {
        throw new UnsupportedOperationException("cache of " + bytesMax);
    }

    long hits() {
        throw new UnsupportedOperationException();
    }

    /** A rising share of misses means that the cache is too small for what is read. */
    long misses() {
        throw new UnsupportedOperationException();
    }
}
