package io.longhorn.replica.journal;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.disk.MetadataFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.OptionalInt;

/**
 * A file that segments are written to, one after another, always open. Made whole: its whole length allocated, zeroed and durable before it has its name.
 *
 * @param index the number in its name
 */
public record SegmentFile(int index, DiskFile disk) {
    private static final String PREFIX = JournalSettings.DIRECTORY + "/segment-";
    private static final int READ_BYTES = 1 << 20;
    private static final int PAGE_BYTES = 4096;

    /** Its name on the disk. */
    public static String name(int index) {
        return PREFIX + index;
    }

    /** The index in a file name without directory; empty for a name that is no segment's. */
    public static OptionalInt indexOf(String fileName) {
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

    /** Opens one that exists. */
    public static SegmentFile open(DiskDirectory directory, int index) throws IOException {
        return new SegmentFile(index, directory.open(name(index), false));
    }

    /**
     * Fills {@code target}, which may be large, from the file's start to its limit. Pages that the disk cannot read are zeroes.
     *
     * @return how many pages that are
     */
    public int readWhole(ByteBuffer target) throws IOException {
        int limit = target.limit();
        int unreadable = 0;
        for (int at = 0; at < limit; at += READ_BYTES) {
            int end = Math.min(limit, at + READ_BYTES);
            target.limit(end).position(at);
            try {
                disk.read(at, target);
            } catch (ClosedChannelException e) {
                throw e;
            } catch (IOException e) {
                unreadable += readPages(target, at, end);
            }
        }
        target.limit(limit).position(0);
        return unreadable;
    }

    private int readPages(ByteBuffer target, int from, int to) {
        int unreadable = 0;
        for (int at = from; at < to; at += PAGE_BYTES) {
            int end = Math.min(to, at + PAGE_BYTES);
            try {
                disk.read(at, target.limit(end).position(at));
            } catch (IOException e) {
                unreadable++;
                target.put(at, new byte[end - at]);
            }
        }
        return unreadable;
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
