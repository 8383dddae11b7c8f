package io.longhorn.replica.journal;

import io.longhorn.replica.wire.FrameLayout;

/**
 * Size of a disk's journal.
 *
 * @param segmentBytes size of a segment file. Large enough that turning to the next is rare, small enough that reading one at a start is quick. A disk keeps the
 *     size that its journal began with
 * @param segmentsMax segments at most. More space means that checkpoints may lag further behind; every start reads all of it that is not checkpointed
 * @param segmentsAhead empty segments kept ready, so that an append never waits for one to be made. One of them is only used by records without blocks, so
 *     that the next start finds one even on a full disk
 * @param reserveBytes space that only records without blocks may use: structure, view, discard
 * @param diskReserveBytes free space of the disk that is not for more than the fewest segments
 */
public record JournalSettings(
        int segmentBytes, int segmentsMax, int segmentsAhead, int reserveBytes, long diskReserveBytes) {
    /** Where the segments are on the disk. */
    public static final String DIRECTORY = "journal";
    /** Any record fits a segment. */
    static final int SEGMENT_BYTES_MIN = 384 << 10;

    static final int SEGMENT_BYTES_MAX = 1 << 30;
    /** One that is written to, one that waits for its checkpoint, one ready, and one that is kept for the next start. */
    static final int SEGMENTS_MIN = 4;

    static final int SEGMENTS_MAX = 1024;
    /** The next one, and the one that is kept for the next start. */
    static final int SEGMENTS_AHEAD_MIN = 2;

    /** What holds if nothing is set. */
    public static final JournalSettings DEFAULT = new JournalSettings(32 << 20, 32, 2, 2 << 20, 0);

    public JournalSettings {
        if (segmentBytes < SEGMENT_BYTES_MIN || segmentBytes > SEGMENT_BYTES_MAX || segmentBytes % 4096 != 0) {
            throw new IllegalArgumentException("segment of " + segmentBytes + " bytes; expected whole 4096, from "
                    + SEGMENT_BYTES_MIN + " to " + SEGMENT_BYTES_MAX);
        }
        if (segmentsMax < SEGMENTS_MIN || segmentsMax > SEGMENTS_MAX) {
            throw new IllegalArgumentException(
                    segmentsMax + " segments; expected " + SEGMENTS_MIN + " to " + SEGMENTS_MAX);
        }
        if (segmentsAhead < SEGMENTS_AHEAD_MIN || segmentsAhead >= segmentsMax) {
            throw new IllegalArgumentException(segmentsAhead + " segments ahead; expected from " + SEGMENTS_AHEAD_MIN
                    + " to one less than all " + segmentsMax);
        }
        long reserveMax = (segmentsMax - 2) * usableBytes(segmentBytes);
        if (reserveBytes < 0 || reserveBytes > reserveMax) {
            throw new IllegalArgumentException("reserve of " + reserveBytes + " bytes; expected at most " + reserveMax
                    + ", what " + (segmentsMax - 2) + " segments surely hold");
        }
    }

    /** Defaults for segments of another size and number. */
    public static JournalSettings of(int segmentBytes, int segmentsMax) {
        int reserve = (int) Math.min(2 << 20, usableBytes(segmentBytes) / 2);
        return new JournalSettings(segmentBytes, segmentsMax, SEGMENTS_AHEAD_MIN, reserve, 0);
    }

    /** The same with another reserve of the disk. */
    public JournalSettings withDiskReserve(long bytes) {
        return new JournalSettings(segmentBytes, segmentsMax, segmentsAhead, reserveBytes, bytes);
    }

    /** What surely fits a segment, whatever the lengths of the records: the last one may leave up to its own length unused. */
    static long usableBytes(int segmentBytes) {
        return (long) segmentBytes - SegmentHeader.BYTES - FrameLayout.RECORD_BYTES_MAX;
    }
}
