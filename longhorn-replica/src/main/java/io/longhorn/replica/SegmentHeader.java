package io.longhorn.replica;

/**
 * First 4096 bytes of a journal segment; see {@code docs/format/journal.md}, section 3.
 */
final class SegmentHeader {
    static final int BYTES = 4096;

    private SegmentHeader() {}
}
