package io.longhorn.replica.journal;

import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.nio.ByteBuffer;

/**
 * Finds the records in the bytes of one segment; see {@code docs/format/journal.md}, section 6. What is no record is damage if something behind it was
 * durable, and the journal's end otherwise.
 */
public final class SegmentScan {
    private final ByteBuffer bytes;
    private final int number;
    private final long start;
    private boolean journalEnded;

    /** Looks at the whole segment in {@code bytes}, from index 0 to the limit, little-endian. */
    public SegmentScan(ByteBuffer bytes, int number) {
        this.bytes = bytes;
        this.number = number;
        this.start = (long) number * bytes.limit();
    }

    /**
     * The greatest journal position that a record of this segment calls durable, 0 if none does. Looks behind invalid records too: a header that matches its
     * checksum is believed, wherever it stands.
     */
    long durableClaim() {
        long claim = 0;
        int at = SegmentHeader.BYTES;
        while (at >= 0 && at < bytes.limit()) {
            if (headerIsGood(at, bytes.limit())) {
                claim = Math.max(claim, RecordLayout.durablePosition(bytes, at));
                at += FrameLayout.frameLength(bytes, at);
            } else {
                at = nextHeader(at + FrameLayout.ALIGNMENT, bytes.limit());
            }
        }
        return claim;
    }

    /** Segment number that the first record carries, whichever it is; 0 if there is no record. For a segment whose header is lost. */
    static int numberOfFirstRecord(ByteBuffer bytes) {
        for (int at = SegmentHeader.BYTES;
                at <= bytes.limit() - RecordLayout.TABLE_OFFSET;
                at += FrameLayout.ALIGNMENT) {
            if (bytes.getInt(at + FrameLayout.MAGIC_OFFSET) == FrameLayout.MAGIC) {
                int number = RecordLayout.segment(bytes, at);
                if (number > 0 && new SegmentScan(bytes, number).headerIsGood(at, bytes.limit())) {
                    return number;
                }
            }
        }
        return 0;
    }

    /**
     * Gives records and gaps to {@code sink}, in order, up to the journal's end or the segment's.
     *
     * @param end offset behind the last record as the next segment knows it; 0 if unknown
     * @param durable greatest position that any record of the journal calls durable
     * @return offset behind the last record, or behind the last gap
     */
    public int run(int end, long durable, RecoverySink sink) {
        int limit = end == 0 ? bytes.limit() : end;
        int at = SegmentHeader.BYTES;
        while (at < limit) {
            if (headerIsGood(at, limit) && RecordLayout.payloadMatches(bytes, at)) {
                sink.record(start + at, bytes, at);
                at += FrameLayout.frameLength(bytes, at);
            } else if (isEnd(start + at, durable)) {
                journalEnded = true;
                return at;
            } else {
                at = gap(at, limit, sink);
            }
        }
        return at;
    }

    /** Whether {@link #run} met the journal's end before the segment's: nothing behind it counts, here or in later segments. */
    boolean journalEnded() {
        return journalEnded;
    }

    /** The rule by which damage is not an end: what is no record ends the journal only if nothing at or behind it was ever durable. */
    static boolean isEnd(long position, long durablePosition) {
        return position >= durablePosition;
    }

    private int gap(int at, int limit, RecoverySink sink) {
        boolean headerGood = headerIsGood(at, limit);
        int slot = headerGood ? FrameLayout.slot(bytes, at) : 0;
        int next = headerGood ? at + FrameLayout.frameLength(bytes, at) : nextHeader(at + FrameLayout.ALIGNMENT, limit);
        int to = next < 0 ? limit : next;
        String reason = headerGood ? "a block does not match its checksum" : "no valid record header";
        sink.gap(new JournalGap(number, start + at, start + to, slot, reason));
        return to;
    }

    /** Where the next good header of this segment stands, from {@code from} on; -1 if nowhere. */
    private int nextHeader(int from, int limit) {
        for (int at = from; at <= limit - RecordLayout.TABLE_OFFSET; at += FrameLayout.ALIGNMENT) {
            if (bytes.getInt(at + FrameLayout.MAGIC_OFFSET) == FrameLayout.MAGIC && headerIsGood(at, limit)) {
                return at;
            }
        }
        return -1;
    }

    /** Whether a record of this segment begins here; its blocks are not looked at. */
    private boolean headerIsGood(int at, int limit) {
        return limit - at >= RecordLayout.TABLE_OFFSET
                && RecordLayout.segment(bytes, at) == number
                && RecordLayout.checkJournaled(bytes, at, limit - at) == FrameFault.NONE
                && FrameLayout.slot(bytes, at) > 0
                && RecordLayout.durablePosition(bytes, at) <= start + at;
    }
}
