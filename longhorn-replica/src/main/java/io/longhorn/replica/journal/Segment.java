package io.longhorn.replica.journal;

import io.longhorn.replica.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A segment of the journal: one use of a file. What changes belongs to the loop. */
final class Segment {
    private final SegmentFile file;
    private final SegmentHeader header;
    private int end;

    /** A segment whose records end at offset {@code end}. */
    Segment(SegmentFile file, SegmentHeader header, int end) {
        this.file = file;
        this.header = header;
        this.end = end;
    }

    SegmentFile file() {
        return file;
    }

    /** As it was written first; a later one only knows more positions. */
    SegmentHeader header() {
        return header;
    }

    int number() {
        return header.number();
    }

    /** Journal position of the file's first byte. */
    long start() {
        return header.start();
    }

    /** Offset behind the last record. */
    int end() {
        return end;
    }

    /** Journal position behind the last record. */
    long endPosition() {
        return start() + end;
    }

    /** Appends the remaining bytes of {@code source}. */
    void append(ByteBuffer source) throws IOException {
        int length = source.remaining();
        file.disk().write(end, source);
        end += length;
    }

    /** Fills the remaining bytes of {@code target} from that journal position. Any thread. */
    void read(long position, ByteBuffer target) throws IOException {
        file.disk().read(position - start(), target);
    }

    /** Writes {@code length} bytes from that journal position to a place in another file. Any thread. */
    void copyTo(long position, int length, DiskFile target, long targetPosition) throws IOException {
        file.disk().copyTo(position - start(), length, target, targetPosition);
    }
}
