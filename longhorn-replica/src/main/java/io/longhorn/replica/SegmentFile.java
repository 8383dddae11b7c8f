package io.longhorn.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalInt;

/**
 * A file that segments are written to, one after another, always open. Made whole: its whole length allocated, zeroed and durable before it has its name.
 *
 * @param index the number in its name
 */
record SegmentFile(int index, DiskFile disk) {
    private static final String PREFIX = JournalSettings.DIRECTORY + "/segment-";
    private static final int READ_BYTES = 1 << 20;

    static String name(int index) {
        return PREFIX + index;
    }

    /** The index in a file name without directory; empty for a name that is no segment's. */
    static OptionalInt indexOf(String fileName) {
        if (!fileName.matches("segment-(0|[1-9][0-9]{0,5})")) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(Integer.parseInt(fileName.substring(fileName.indexOf('-') + 1)));
    }

    /** Makes a file. Blocks for as long as the disk needs to write all of it. Any thread. */
    static SegmentFile make(DiskDirectory directory, int index, int segmentBytes) throws IOException {
        MetadataFile.replaceRaw(directory, name(index), file -> file.preallocate(0, segmentBytes));
        return open(directory, index);
    }

    static SegmentFile open(DiskDirectory directory, int index) throws IOException {
        return new SegmentFile(index, directory.open(name(index), false));
    }

    /** Fills {@code target}, which may be large, from the file's start to its limit. */
    void readWhole(ByteBuffer target) throws IOException {
        int limit = target.limit();
        for (int at = 0; at < limit; at += READ_BYTES) {
            target.limit(Math.min(limit, at + READ_BYTES)).position(at);
            disk.read(at, target);
        }
        target.limit(limit).position(0);
    }

    /** Writes the bytes [from, to) of {@code source} to the same place in the file. */
    void writePart(ByteBuffer source, int from, int to) throws IOException {
        int limit = source.limit();
        for (int at = from; at < to; at += READ_BYTES) {
            source.limit(Math.min(to, at + READ_BYTES)).position(at);
            disk.write(at, source);
        }
        source.limit(limit).position(0);
    }
}
