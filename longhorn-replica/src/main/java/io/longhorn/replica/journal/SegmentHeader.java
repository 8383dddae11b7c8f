package io.longhorn.replica.journal;

import io.longhorn.ForeignFileException;
import io.longhorn.replica.disk.FileHeader;
import io.longhorn.replica.disk.FileKind;
import io.longhorn.replica.wire.Checksum;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * First 4096 bytes of a journal segment, records follow; see {@code docs/format/journal.md}, section 3. Begins with the common header
 * ({@link FileHeader}), whose body are bytes [64, 4096).
 *
 * <pre>
 *  64       68     72              76                80             88                 96                104
 *  | number | file | segment bytes | previous number | previous end | durable position | needed position | zeroes
 * </pre>
 *
 * @param number of the segment; each use of a file has another one
 * @param file which file: the number in its name
 * @param previousNumber of the segment whose records come before; 0 for none
 * @param previousEnd journal position behind its last record
 * @param durablePosition journal position known durable when this was written
 * @param neededPosition no replica needs a record before it
 */
public record SegmentHeader(
        int number,
        int file,
        int segmentBytes,
        int previousNumber,
        long previousEnd,
        long durablePosition,
        long neededPosition) {
    /** Guards against a record of an earlier use of the file: it carries another number. */
    static final int NUMBER_OFFSET = 64;
    /** Guards against a segment under another one's name. */
    static final int FILE_OFFSET = 68;
    /** Guards against computing positions with another size than the records were written with. */
    static final int SEGMENT_BYTES_OFFSET = 72;
    /** Guards, with the end, against taking a lost part of the journal for its end. */
    static final int PREVIOUS_NUMBER_OFFSET = 76;

    static final int PREVIOUS_END_OFFSET = 80;
    /** Guards against taking damage for the journal's end, where no record came after it yet. */
    static final int DURABLE_POSITION_OFFSET = 88;
    /** Guards against reporting damage in records that nobody needs. */
    static final int NEEDED_POSITION_OFFSET = 96;

    private static final int FIELDS_END = 104;

    /** Length of a segment's header; the records follow. */
    public static final int BYTES = 4096;

    /** Journal position of the segment's first byte. */
    long start() {
        return (long) number * segmentBytes;
    }

    /** The same segment, as known later. */
    SegmentHeader with(long durable, long needed) {
        return new SegmentHeader(number, file, segmentBytes, previousNumber, previousEnd, durable, needed);
    }

    /** The header's bytes, from position 0 to the limit. */
    ByteBuffer encode(UUID diskId) {
        ByteBuffer b = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        b.putInt(NUMBER_OFFSET, number);
        b.putInt(FILE_OFFSET, file);
        b.putInt(SEGMENT_BYTES_OFFSET, segmentBytes);
        b.putInt(PREVIOUS_NUMBER_OFFSET, previousNumber);
        b.putLong(PREVIOUS_END_OFFSET, previousEnd);
        b.putLong(DURABLE_POSITION_OFFSET, durablePosition);
        b.putLong(NEEDED_POSITION_OFFSET, neededPosition);
        int body = BYTES - FileHeader.BYTES;
        FileHeader.encode(b, 0, FileKind.SEGMENT, diskId, body, Checksum.of(b, FileHeader.BYTES, body));
        return b;
    }

    /**
     * The header in the first {@link #BYTES} of {@code b}, or null if it is damaged or was never written.
     *
     * @param file that it was read from
     * @throws ForeignFileException if it is another disk's, or another file's
     * @throws io.longhorn.FileTooNewException if a newer version wrote it
     * @throws io.longhorn.FileTooOldException if its version is not read any more
     */
    public static @Nullable SegmentHeader decode(ByteBuffer b, int file, UUID diskId, Path path) {
        if (!FileHeader.isWhole(b, 0)) {
            return null;
        }
        FileHeader.check(b, 0, BYTES, FileKind.SEGMENT, diskId, path);
        int body = BYTES - FileHeader.BYTES;
        if (FileHeader.bodyLength(b, 0) != body || FileHeader.bodyCrc(b, 0) != Checksum.of(b, FileHeader.BYTES, body)) {
            return null;
        }
        SegmentHeader header = new SegmentHeader(
                b.getInt(NUMBER_OFFSET),
                b.getInt(FILE_OFFSET),
                b.getInt(SEGMENT_BYTES_OFFSET),
                b.getInt(PREVIOUS_NUMBER_OFFSET),
                b.getLong(PREVIOUS_END_OFFSET),
                b.getLong(DURABLE_POSITION_OFFSET),
                b.getLong(NEEDED_POSITION_OFFSET));
        if (header.file != file) {
            throw new ForeignFileException(path, "journal segment " + file + " (it is segment " + header.file + ")");
        }
        return header.isSane(b) ? header : null;
    }

    private boolean isSane(ByteBuffer b) {
        for (int i = FIELDS_END; i < BYTES; i += Long.BYTES) {
            if (b.getLong(i) != 0) {
                return false;
            }
        }
        return number > 0
                && segmentBytes >= JournalSettings.SEGMENT_BYTES_MIN
                && segmentBytes <= JournalSettings.SEGMENT_BYTES_MAX
                && segmentBytes % BYTES == 0
                && previousNumber >= 0
                && previousNumber < number
                && previousIsSane()
                && durablePosition >= 0
                && neededPosition >= 0;
    }

    private boolean previousIsSane() {
        if (previousNumber == 0) {
            return previousEnd == 0;
        }
        long offset = previousEnd - (long) previousNumber * segmentBytes;
        return offset >= BYTES && offset <= segmentBytes;
    }
}
