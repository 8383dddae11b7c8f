package io.longhorn.replica.server;

import io.longhorn.replica.DiskDirectory;
import io.longhorn.replica.DiskFile;
import io.longhorn.replica.DiskWorker;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal of a disk, shared by its replicas: records one behind the other in segments of fixed size, which are used again when nothing in them
 * is needed. See {@code docs/format}. A position is the segment's number times the segment size plus the offset in it; positions
 * only grow.
 *
 * <p>Appending writes to the page cache and never waits; a sync makes everything appended before it stable, and while one runs the next gathers.
 * A failed sync is the end of the journal until the process starts anew. Loop only.
 */
final class Journal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
    static final String DIRECTORY = "journal";
    static final int HEADER_BYTES = 4096;

    /** What the journal tells its owner, on the loop. */
    interface Listener {
        /** Everything before {@code position} is on stable storage. */
        void durable(long position);

        /** A sync or write failed: nothing beyond the last durable position counts. */
        void failed(IOException cause);
    }

    /** Gets what recovery finds, in order. */
    interface RecoverySink {
        void record(long position, ByteBuffer b, int at);

        /** A record below a position known durable cannot be read: what follows it may be missing. */
        void damaged(long position, String reason);
    }

    /** Told where each appended frame went. */
    interface Placement {
        void placed(int frameAt, long position);
    }

    private record Segment(long number, int slot, DiskFile file) {}

    private final DiskDirectory disk;
    private final DiskSettings settings;
    private final UUID diskId;
    private final DiskWorker worker;
    private final Listener listener;
    /** In use, oldest first; the last one is being appended to. */
    private final ArrayDeque<Segment> used = new ArrayDeque<>();

    private final Map<Long, Segment> byNumber = new HashMap<>();
    private final ArrayDeque<Segment> free = new ArrayDeque<>();
    private final List<DiskFile> unsynced = new ArrayList<>();
    private int slots;
    private boolean makingAhead;
    private long nextNumber = 1;
    private long previousEnd;
    private long appended;
    private long durable;
    /** Whether the next record must go to a fresh segment. */
    private boolean closedForAppending = true;

    private boolean syncing;
    private boolean syncWanted;
    private boolean failed;

    Journal(DiskDirectory disk, DiskSettings settings, UUID diskId, DiskWorker worker, Listener listener) {
        this.disk = disk;
        this.settings = settings;
        this.diskId = diskId;
        this.worker = worker;
        this.listener = listener;
    }

    // ------------------------------------------------------------------ recovery

    /** Reads what is there, makes it stable, and gets ready to append in a fresh segment. To be called once, before anything else. */
    void recover(RecoverySink sink) throws IOException {
        disk.createDirectories(DIRECTORY);
        List<SegmentHeader> found = readHeaders();
        found.sort(Comparator.comparingLong(SegmentHeader::number));
        found = newestRun(found);
        ByteBuffer buffer = ByteBuffer.allocateDirect(settings.segmentBytes()).order(ByteOrder.LITTLE_ENDIAN);
        long[] knownDurable = {0};
        List<long[]> ends = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            SegmentHeader header = found.get(i);
            Segment segment = header.segment();
            long end = scan(segment, buffer, sink, knownDurable);
            ends.add(new long[] {header.number(), end});
            SegmentHeader next = i + 1 < found.size() ? found.get(i + 1) : null;
            if (next != null && end < next.previousEnd()) {
                sink.damaged(end, "segment " + header.number() + " ends before " + next.previousEnd());
            }
            used.add(segment);
            byNumber.put(segment.number(), segment);
        }
        long end = ends.isEmpty() ? base(1) : ends.get(ends.size() - 1)[1];
        if (end < knownDurable[0]) {
            sink.damaged(end, "the journal ends before " + knownDurable[0] + ", which was durable");
        }
        settle(ends, knownDurable[0], buffer);
        appended = end;
        durable = end;
        previousEnd = end;
        nextNumber = found.isEmpty() ? 1 : found.get(found.size() - 1).number() + 1;
        // Whatever stands behind the end stays unreadable for ever: appending goes on in a segment of its own.
        closedForAppending = true;
    }

    private record SegmentHeader(long number, long previousEnd, Segment segment) {}

    private List<SegmentHeader> readHeaders() throws IOException {
        List<SegmentHeader> found = new ArrayList<>();
        for (String name : disk.list(DIRECTORY)) {
            if (!name.matches("segment-\\d{3}")) {
                continue;
            }
            int slot = Integer.parseInt(name.substring("segment-".length()));
            slots = Math.max(slots, slot + 1);
            DiskFile file = disk.open(DIRECTORY + "/" + name, false);
            ByteBuffer b = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            file.read(0, b);
            SegmentFormat.Header header = SegmentFormat.decode(b, diskId, settings.segmentBytes());
            if (header == null) {
                free.add(new Segment(0, slot, file));
            } else {
                found.add(new SegmentHeader(
                        header.number(), header.previousEnd(), new Segment(header.number(), slot, file)));
            }
        }
        return found;
    }

    /**
     * Segments count from the newest back to the first gap in their numbers: those before were released, and some of them used again. Should one
     * of them have been needed, its replicas lack a sequence, which they notice.
     */
    private List<SegmentHeader> newestRun(List<SegmentHeader> sorted) {
        int from = Math.max(0, sorted.size() - 1);
        while (from > 0 && sorted.get(from - 1).number() == sorted.get(from).number() - 1) {
            from--;
        }
        for (SegmentHeader released : sorted.subList(0, from)) {
            free.add(released.segment());
        }
        return new ArrayList<>(sorted.subList(from, sorted.size()));
    }

    /** Gives every readable record to the sink and returns the position behind the last. */
    private long scan(Segment segment, ByteBuffer buffer, RecoverySink sink, long[] knownDurable) throws IOException {
        buffer.clear();
        segment.file().read(0, buffer);
        int at = HEADER_BYTES;
        while (at + RecordLayout.TABLE_OFFSET <= settings.segmentBytes() && isRecord(buffer, at, segment.number())) {
            knownDurable[0] = Math.max(knownDurable[0], RecordLayout.durablePosition(buffer, at));
            sink.record(base(segment.number()) + at, buffer, at);
            at += FrameLayout.frameLength(buffer, at);
        }
        return base(segment.number()) + at;
    }

    private boolean isRecord(ByteBuffer b, int at, long number) {
        return RecordLayout.checkJournaled(b, at, settings.segmentBytes() - at) == FrameFault.NONE
                && RecordLayout.segment(b, at) == (int) number
                && RecordLayout.payloadMatches(b, at);
    }

    /**
     * Writes everything beyond the last position known durable again and syncs it. What was read may stand in the page cache only, as clean pages
     * that an earlier sync failed to write: writing them again is the only way to know that they are on the disk.
     */
    private void settle(List<long[]> ends, long knownDurable, ByteBuffer buffer) throws IOException {
        for (long[] segmentEnd : ends) {
            long from = Math.max(knownDurable, base(segmentEnd[0]));
            if (from < segmentEnd[1]) {
                DiskFile file = segment(segmentEnd[0]).file();
                int start = (int) (from - base(segmentEnd[0])) & -HEADER_BYTES;
                int end = (int) (segmentEnd[1] - base(segmentEnd[0]));
                buffer.clear().position(start).limit(end);
                file.read(start, buffer);
                buffer.position(start).limit(end);
                file.write(start, buffer);
                file.sync();
            }
        }
    }

    private long base(long number) {
        return number * (long) settings.segmentBytes();
    }

    private Segment segment(long number) {
        Segment segment = byNumber.get(number);
        if (segment == null) {
            throw new IllegalStateException("journal segment " + number + " was released");
        }
        return segment;
    }

    // ------------------------------------------------------------------ appending

    long appendedPosition() {
        return appended;
    }

    long durablePosition() {
        return durable;
    }

    boolean hasFailed() {
        return failed;
    }

    /** Bytes of records that still fit, the structural reserve (one segment) not counted. */
    long freeBytes() {
        long unusedSegments = (long) settings.segmentsMax() - used.size() - 1;
        long inCurrent = closedForAppending || used.isEmpty() ? 0 : base(nextNumber) - appended;
        return Math.max(0, unusedSegments) * (settings.segmentBytes() - (long) HEADER_BYTES) + inCurrent;
    }

    /**
     * Appends the frames in {@code b[from, to)}, which it stamps and seals, in as few writes as segments allow.
     *
     * @return whether they are in the journal; false, with a part of them possibly placed, if it is full or has failed
     */
    boolean append(int slot, ByteBuffer b, int from, int to, Placement placement) {
        if (failed) {
            return false;
        }
        try {
            int start = from;
            int at = from;
            while (at < to) {
                int length = FrameLayout.frameLength(b, at);
                if (closedForAppending || appended + (at - start) + length > base(nextNumber)) {
                    write(b, start, at);
                    start = at;
                    if (!startSegment()) {
                        return false;
                    }
                }
                RecordLayout.stamp(b, at, slot, durable, (int) (nextNumber - 1));
                placement.placed(at, appended + (at - start));
                at += length;
            }
            write(b, start, to);
            return true;
        } catch (IOException e) {
            fail(e);
            return false;
        }
    }

    private void write(ByteBuffer b, int from, int to) throws IOException {
        if (from == to) {
            return;
        }
        Segment current = used.getLast();
        int position = b.position();
        int limit = b.limit();
        b.limit(to).position(from);
        try {
            current.file().write(appended - base(current.number()), b);
        } finally {
            b.limit(limit).position(position);
        }
        appended += to - from;
    }

    private boolean startSegment() throws IOException {
        Segment reused = free.poll();
        if (reused == null) {
            if (used.size() >= settings.segmentsMax()) {
                return false;
            }
            reused = makeNow();
            if (reused == null) {
                return false;
            }
        }
        Segment started = new Segment(nextNumber, reused.slot(), reused.file());
        long end = used.isEmpty() ? previousEnd : appended;
        ByteBuffer header = SegmentFormat.encode(nextNumber, nextNumber - 1, end, diskId, settings.segmentBytes());
        started.file().write(0, header);
        used.add(started);
        byNumber.put(nextNumber, started);
        unsynced.add(started.file());
        appended = base(nextNumber) + HEADER_BYTES;
        nextNumber++;
        closedForAppending = false;
        makeAhead();
        return true;
    }

    /** No segment is ready: makes one while the caller waits. Null if the disk has no room for it. */
    private @Nullable Segment makeNow() {
        int slot = slots++;
        try {
            return make(slot);
        } catch (IOException e) {
            LOG.warn("journal segment could not be made: disk={} cause={}", disk.describe(), e.toString());
            return null;
        }
    }

    private Segment make(int slot) throws IOException {
        String name = String.format("%s/segment-%03d", DIRECTORY, slot);
        DiskFile file = disk.open(name, true);
        try {
            file.preallocate(0, settings.segmentBytes());
            file.sync();
            disk.syncDirectory(DIRECTORY);
            return new Segment(0, slot, file);
        } catch (IOException e) {
            file.close();
            disk.delete(name);
            throw e;
        }
    }

    /** Has the next segment made while the present one fills. */
    private void makeAhead() {
        if (makingAhead || !free.isEmpty() || used.size() >= settings.segmentsMax()) {
            return;
        }
        makingAhead = true;
        int slot = slots++;
        Segment[] made = new Segment[1];
        worker.run(DiskWorker.Lane.CHECKPOINT, () -> made[0] = make(slot), failure -> {
            makingAhead = false;
            if (failure == null) {
                free.add(made[0]);
            } else {
                LOG.warn(
                        "journal segment could not be made ahead: disk={} cause={}",
                        disk.describe(),
                        failure.toString());
            }
        });
    }

    // ------------------------------------------------------------------ syncing

    /** Has everything appended so far made stable; one sync runs at a time, the next covers all that asked meanwhile. */
    void requestSync() {
        if (failed || durable >= appended) {
            return;
        }
        if (syncing) {
            syncWanted = true;
            return;
        }
        syncing = true;
        syncWanted = false;
        long target = appended;
        List<DiskFile> files = new ArrayList<>(unsynced);
        unsynced.clear();
        if (!used.isEmpty()) {
            unsynced.add(used.getLast().file());
        }
        worker.run(
                DiskWorker.Lane.JOURNAL_SYNC,
                () -> {
                    for (DiskFile file : files) {
                        file.sync();
                    }
                },
                failure -> synced(target, failure));
    }

    private void synced(long target, @Nullable IOException failure) {
        syncing = false;
        if (mayCountAsDurable(failure)) {
            durable = Math.max(durable, target);
            listener.durable(durable);
            if (syncWanted) {
                requestSync();
            }
        } else if (failure != null) {
            fail(failure);
        }
    }

    /** Rule: what a failed sync covered is lost, whatever a later one says. */
    private static boolean mayCountAsDurable(@Nullable IOException failure) {
        return failure == null;
    }

    private void fail(IOException cause) {
        if (!failed) {
            failed = true;
            LOG.error("journal failed: disk={} cause={}", disk.describe(), cause.toString());
            listener.failed(cause);
        }
    }

    // ------------------------------------------------------------------ reading, releasing

    /** Fills the remaining bytes of {@code target} from {@code position}, which must not be released. */
    void read(long position, ByteBuffer target) throws IOException {
        Segment segment = segment(position / settings.segmentBytes());
        segment.file().read(position % settings.segmentBytes(), target);
    }

    /** The file and offset of a position, for work away from the loop. */
    DiskFile fileOf(long position) {
        return segment(position / settings.segmentBytes()).file();
    }

    long offsetOf(long position) {
        return position % settings.segmentBytes();
    }

    /** The oldest position still there. */
    long oldestPosition() {
        return used.isEmpty() ? appended : base(used.getFirst().number());
    }

    int usedSegments() {
        return used.size();
    }

    /** Nothing before {@code position} is needed any more. */
    void release(long position) {
        while (used.size() > 1 && base(used.getFirst().number() + 1) <= Math.min(position, durable)) {
            Segment oldest = used.removeFirst();
            byNumber.remove(oldest.number());
            free.add(oldest);
        }
    }

    @Override
    public void close() throws IOException {
        for (Segment segment : used) {
            segment.file().close();
        }
        for (Segment segment : free) {
            segment.file().close();
        }
    }
}
