package io.longhorn.replica;

/**
 * One page of a block map in memory; see {@code docs/format/layer.md}, section 3.
 */
@SuppressWarnings("DoNotCallSuggester")
final class MapPage {
    /** Entries per page. */
    static final int ENTRIES = 336;

    static final int BYTES = 4096;

    static long pageOf(long block) {
        return block / ENTRIES;
    }

    static int indexOf(long block) {
        return (int) (block % ENTRIES);
    }

    /** {@link MapEntry} of the block with that index in the page. */
    long entry(int index) {
        throw new UnsupportedOperationException();
    }

    int crc(int index) {
        throw new UnsupportedOperationException();
    }
}
