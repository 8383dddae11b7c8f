package io.longhorn.replica.journal;

import io.longhorn.DamagedFileException;
import io.longhorn.DiskFullException;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.MetadataFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the journal at the start of a disk; see {@code docs/format/journal.md}, section 6. Used once, blocks.
 *
 * <p>Each segment's header names the segment before it and where that one's records end. Going back along these from the newest segment gives the segments that
 * count; a file that is not met that way holds nothing. Then the records are read forwards up to the journal's end, and what was not surely durable is written again.
 */
final class JournalRecovery {
    private static final Logger LOG = LoggerFactory.getLogger(JournalRecovery.class);
    /** Numbers begin anywhere below this, depending on the disk: so that the journal of a disk inside a volume is not taken for the journal around it. */
    private static final int FIRST_NUMBER_MAX = 1 << 28;
    /** With more than this in one segment the disk is broken, which is another thing than damage in some places. */
    private static final int UNREADABLE_PAGES_MAX = 64;

    private final DiskDirectory directory;
    private final UUID diskId;
    private final RecoverySink sink;
    /** All files by index. */
    private final Map<Integer, SegmentFile> files = new TreeMap<>();
    /** Segments by number. */
    private final TreeMap<Integer, Found> segments = new TreeMap<>();

    /** Segments with records, oldest first. */
    private final List<Segment> live = new ArrayList<>();

    private ByteBuffer whole = ByteBuffer.allocate(0);
    private int segmentBytes;
    private long needed;
    private long durable;
    private int lastNumber;

    /** A segment as its file shows it; {@code header} is null if it was lost and the number is that of the first record. */
    private record Found(
            SegmentFile file, int number, @Nullable SegmentHeader header) {}

    /** One step of the way through the journal: a segment, or where one is missing (null), and the offset where its records end, 0 if unknown. */
    private record Step(int number, @Nullable Found segment, int end) {}

    /** What the journal begins its work with. */
    record Recovered(
            int segmentBytes, List<Segment> live, ArrayDeque<SegmentFile> free, Segment current, long neededPosition) {}

    JournalRecovery(DiskDirectory directory, JournalSettings settings, UUID diskId, RecoverySink sink) {
        this.directory = directory;
        this.diskId = diskId;
        this.sink = sink;
        segmentBytes = settings.segmentBytes();
    }

    Recovered run() throws IOException {
        try {
            openFiles();
            readHeaders();
            readRecords(way());
            return begin();
        } catch (IOException | RuntimeException e) {
            closeFiles(e);
            throw e;
        }
    }

    private void closeFiles(Exception cause) {
        for (SegmentFile file : files.values()) {
            try {
                file.disk().close();
            } catch (IOException e) {
                cause.addSuppressed(e);
            }
        }
    }

    private void openFiles() throws IOException {
        directory.createDirectories(JournalSettings.DIRECTORY);
        directory.syncDirectory("");
        MetadataFile.removeLeftovers(directory, JournalSettings.DIRECTORY);
        // A process that died may have renamed a segment's file into its place and not synced that.
        directory.syncDirectory(JournalSettings.DIRECTORY);
        for (String name : directory.list(JournalSettings.DIRECTORY)) {
            OptionalInt index = SegmentFile.indexOf(name);
            if (index.isPresent()) {
                files.put(index.getAsInt(), SegmentFile.open(directory, index.getAsInt()));
            }
        }
    }

    private void readHeaders() throws IOException {
        List<SegmentFile> lost = new ArrayList<>();
        int sizeFound = 0;
        ByteBuffer b = ByteBuffer.allocate(SegmentHeader.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (SegmentFile file : files.values()) {
            boolean readable = readHeader(file, b);
            SegmentHeader header = readable ? SegmentHeader.decode(b, file.index(), diskId, path(file)) : null;
            if (header == null) {
                if (!readable || !isZero(b)) {
                    lost.add(file);
                }
                continue;
            }
            if (sizeFound != 0 && sizeFound != header.segmentBytes()) {
                throw new DamagedFileException(path(file), 0, "another segment size than in the other segments");
            }
            sizeFound = header.segmentBytes();
            take(new Found(file, header.number(), header));
            durable = Math.max(durable, header.durablePosition());
            needed = Math.max(needed, header.neededPosition());
        }
        segmentBytes = sizeFound != 0 ? sizeFound : segmentBytes;
        for (SegmentFile file : files.values()) {
            restoreLength(file);
        }
        for (SegmentFile file : lost) {
            takeWithoutHeader(file);
        }
        lastNumber = segments.isEmpty() ? firstNumber(diskId) - 1 : segments.lastKey();
    }

    private boolean readHeader(SegmentFile file, ByteBuffer b) throws IOException {
        try {
            file.disk().read(0, b.clear());
            return true;
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            LOG.warn("a journal segment's header cannot be read file={}", path(file), e);
            return false;
        }
    }

    private static boolean isZero(ByteBuffer b) {
        for (int i = 0; i < b.limit(); i += Long.BYTES) {
            if (b.getLong(i) != 0) {
                return false;
            }
        }
        return true;
    }

    private void take(Found found) {
        Found other = segments.put(found.number(), found);
        if (other != null) {
            throw new DamagedFileException(
                    path(found.file()),
                    0,
                    "the same segment as in " + SegmentFile.name(other.file().index()));
        }
    }

    /** A file that was cut short gets its length back; the missing records are then found missing. */
    private void restoreLength(SegmentFile file) throws IOException {
        long size = file.disk().sizeBytes();
        if (size < segmentBytes) {
            LOG.warn("a journal segment was cut short file={} bytes={}", path(file), size);
            file.disk().preallocate(size, segmentBytes - size);
            file.disk().sync();
        }
    }

    private void takeWithoutHeader(SegmentFile file) throws IOException {
        int number = SegmentScan.numberOfFirstRecord(load(file));
        boolean counts = number > 0 && startOf(number + 1) > needed && !segments.containsKey(number);
        LOG.warn("a journal segment lost its header file={} segment={} used={}", path(file), number, counts);
        if (counts) {
            take(new Found(file, number, null));
        }
    }

    static int firstNumber(UUID diskId) {
        long mixed = (diskId.getMostSignificantBits() ^ diskId.getLeastSignificantBits()) * 0x9E3779B97F4A7C15L;
        return 1 + (int) (mixed >>> 32 & FIRST_NUMBER_MAX - 1);
    }

    /** The segments from the oldest needed to the newest, each with its end. */
    private List<Step> way() {
        List<Step> way = new ArrayList<>();
        Found at = segments.isEmpty() ? null : segments.lastEntry().getValue();
        int end = 0;
        while (at != null && startOf(at.number() + 1) > needed) {
            way.add(new Step(at.number(), at, end));
            SegmentHeader header = at.header();
            if (header == null) {
                at = below(at.number());
                end = 0;
            } else if (header.previousNumber() == 0 || header.previousEnd() <= needed) {
                at = null;
            } else {
                int previous = header.previousNumber();
                end = (int) (header.previousEnd() - startOf(previous));
                at = segments.get(previous);
                if (at == null) {
                    way.add(new Step(previous, null, end));
                    at = below(previous);
                    end = 0;
                }
            }
        }
        Collections.reverse(way);
        return way;
    }

    private @Nullable Found below(int number) {
        Map.Entry<Integer, Found> entry = segments.lowerEntry(number);
        return entry == null ? null : entry.getValue();
    }

    private void readRecords(List<Step> way) throws IOException {
        if (!way.isEmpty()) {
            Found last = segments.lastEntry().getValue();
            durable = Math.max(durable, new SegmentScan(load(last.file()), last.number()).durableClaim());
        }
        for (Step step : way) {
            boolean goesOn = step.segment() == null ? passMissing(step) : readSegment(step.segment(), step.end());
            if (!goesOn) {
                return;
            }
        }
    }

    /** Whether the journal goes on behind a segment that is not there. */
    private boolean passMissing(Step step) {
        long from = startOf(step.number()) + SegmentHeader.BYTES;
        if (SegmentScan.isEnd(from, durable)) {
            return false;
        }
        sink.gap(new JournalGap(step.number(), from, startOf(step.number()) + step.end(), 0, "the segment is missing"));
        return true;
    }

    /** Whether the journal goes on behind this segment. */
    private boolean readSegment(Found found, int end) throws IOException {
        ByteBuffer bytes = load(found.file());
        SegmentScan scan = new SegmentScan(bytes, found.number());
        int foundEnd = scan.run(end, durable, sink);
        if (foundEnd > SegmentHeader.BYTES) {
            SegmentHeader header = found.header();
            if (header == null) {
                header = headerOf(found.file(), found.number(), durable);
                bytes.put(0, header.encode(diskId), 0, SegmentHeader.BYTES);
            }
            writeAgain(found, bytes, foundEnd);
            live.add(new Segment(found.file(), header, foundEnd));
        }
        return !scan.journalEnded();
    }

    /**
     * Writes what is not known to be durable to the place where it was read from, and syncs it. It may have come from memory of the operating system that a failed
     * sync left unwritten; what is reported must not depend on that.
     */
    private void writeAgain(Found found, ByteBuffer bytes, int end) throws IOException {
        long start = startOf(found.number());
        int from = found.header() == null || durable <= start ? 0 : (int) Math.min(durable - start, end);
        if (from < end) {
            found.file().writePart(bytes, from, end);
            found.file().disk().sync();
        }
    }

    private Recovered begin() throws IOException {
        ArrayDeque<SegmentFile> free = new ArrayDeque<>();
        unusedFiles().forEach(free::add);
        SegmentFile file = free.isEmpty() ? makeFile() : free.remove();
        int number = Math.addExact(lastNumber, 1);
        long end = live.isEmpty() ? 0 : live.get(live.size() - 1).endPosition();
        SegmentHeader header = headerOf(file, number, Math.max(durable, end));
        file.disk().write(0, header.encode(diskId));
        file.disk().sync();
        Segment fresh = new Segment(file, header, SegmentHeader.BYTES);
        live.add(fresh);
        return new Recovered(segmentBytes, live, free, segmentToAppendTo(live), needed);
    }

    /** The rule by which nothing is appended behind what may be a torn tail: the last segment, which is fresh, takes the appends. */
    private static Segment segmentToAppendTo(List<Segment> segments) {
        return segments.get(segments.size() - 1);
    }

    /** The header of a segment behind the last one that has records. */
    private SegmentHeader headerOf(SegmentFile file, int number, long durablePosition) {
        Segment previous = live.isEmpty() ? null : live.get(live.size() - 1);
        return new SegmentHeader(
                number,
                file.index(),
                segmentBytes,
                previous == null ? 0 : previous.number(),
                previous == null ? 0 : previous.endPosition(),
                durablePosition,
                needed);
    }

    /** Oldest segments first, so that the newest header stays as long as it can. */
    private List<SegmentFile> unusedFiles() {
        Map<Integer, Integer> numbers = new HashMap<>();
        segments.values().forEach(found -> numbers.put(found.file().index(), found.number()));
        List<SegmentFile> unused = new ArrayList<>(files.values());
        unused.removeIf(file -> live.stream().anyMatch(segment -> segment.file().equals(file)));
        unused.sort(Comparator.comparingInt(file -> numbers.getOrDefault(file.index(), 0)));
        return unused;
    }

    /**
     * One file more, whatever the setting says: starts that crash again and again before they free one need it, and a disk that did not start for that would never free any.
     */
    private SegmentFile makeFile() throws IOException {
        int index = 0;
        while (files.containsKey(index)) {
            index++;
        }
        SegmentFile file;
        try {
            file = SegmentFile.make(directory, index, segmentBytes);
        } catch (IOException e) {
            long available = directory.usableBytes();
            if (available >= segmentBytes) {
                throw e;
            }
            DiskFullException full = new DiskFullException("journal " + directory.describe(), segmentBytes, available);
            full.addSuppressed(e);
            throw full;
        }
        files.put(index, file);
        return file;
    }

    /** The file's bytes, until the next call. Pages that cannot be read are zeroes, so their records are found damaged. */
    private ByteBuffer load(SegmentFile file) throws IOException {
        if (whole.capacity() != segmentBytes) {
            whole = ByteBuffer.allocate(segmentBytes).order(ByteOrder.LITTLE_ENDIAN);
        }
        int unreadable = file.readWhole(whole);
        if (unreadable > UNREADABLE_PAGES_MAX) {
            throw new IOException(unreadable + " pages of " + path(file) + " cannot be read");
        }
        if (unreadable > 0) {
            LOG.warn("pages of a journal segment cannot be read file={} pages={}", path(file), unreadable);
        }
        return whole;
    }

    private long startOf(int number) {
        return (long) number * segmentBytes;
    }

    private Path path(SegmentFile file) {
        return MetadataFile.path(directory, SegmentFile.name(file.index()));
    }
}
