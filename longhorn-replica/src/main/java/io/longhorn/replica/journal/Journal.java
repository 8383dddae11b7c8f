package io.longhorn.replica.journal;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.disk.DiskMeta;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The journal of a disk: records of all its replicas in the order of their arrival, in segment files that are made ahead and used again; see
 * {@code docs/format/journal.md}.
 *
 * <p>A <em>position</em> is segment number times segment size plus offset. It only grows.
 *
 * <p>Belongs to one loop, except {@link #read} and {@link #copyTo}.
 */
public final class Journal {

    /** What became of an append. */
    public enum Appended {
        /** Written, not durable. */
        DONE,
        /** No room; nothing was written. Only happens beyond what {@link Journal#freeBytes} promised. */
        FULL,
        /** The journal failed, now or before. */
        FAILED
    }

    /** Where a record lies now. */
    public interface Placement {
        /**
         * A frame was written.
         *
         * @param frameOffset of the frame in the buffer that was appended
         * @param position of the frame in the journal
         */
        void placed(int frameOffset, long position);
    }

    /** So much is synced without being asked for: a few milliseconds of a disk's time. */
    private static final int UNASKED_SYNC_BYTES_MAX = 4 << 20;

    private final JournalSettings settings;
    private final UUID diskId;
    private final DiskWorker worker;
    private final JournalListener listener;
    private final int segmentBytes;
    private final int unaskedSyncBytes;
    private final SegmentPool pool;
    private final SyncWork sync = new SyncWork();
    /** Segments with records that somebody may need, oldest first, the last one being written to; replaced as a whole, so that readers need no lock. */
    private volatile Segment[] live;

    private Segment current;
    private long durablePosition;
    private long neededPosition;
    private boolean syncing;
    private boolean syncAgain;
    private @Nullable IOException failure;
    private boolean closed;

    private Journal(
            DiskDirectory directory,
            JournalSettings settings,
            UUID diskId,
            DiskWorker worker,
            JournalListener listener,
            JournalRecovery.Recovered recovered) {
        this.settings = settings;
        this.diskId = diskId;
        this.worker = worker;
        this.listener = listener;
        segmentBytes = recovered.segmentBytes();
        unaskedSyncBytes = Math.min(UNASKED_SYNC_BYTES_MAX, segmentBytes / 2);
        live = recovered.live().toArray(Segment[]::new);
        current = recovered.current();
        durablePosition = current.endPosition();
        neededPosition = recovered.neededPosition();
        pool = new SegmentPool(
                directory,
                settings,
                diskId,
                segmentBytes,
                worker,
                new PoolListener(),
                recovered.free(),
                recovered.live());
    }

    /**
     * Opens the journal, makes it if there is none, and gives what it holds to {@code sink}. When this returns, everything given to the sink is durable,
     * and appends go to a segment that held nothing. Blocks; before the loop does anything else.
     *
     * @throws io.longhorn.ForeignFileException if a segment is of another disk or stands under another's name
     * @throws io.longhorn.FileTooNewException if a segment was written by a newer version
     * @throws io.longhorn.DiskFullException if starts that crashed have used up all files that a journal may have
     */
    public static Journal recover(
            DiskDirectory directory,
            JournalSettings settings,
            UUID diskId,
            DiskWorker worker,
            JournalListener listener,
            RecoverySink sink)
            throws IOException {
        JournalRecovery.Recovered recovered = new JournalRecovery(directory, settings, diskId, sink).run();
        return new Journal(directory, settings, diskId, worker, listener, recovered);
    }

    /**
     * Stamps the frames in [from, to) of {@code b}, which lie behind one another and were checked by the caller, and writes them behind the last record,
     * all or none. The buffer is borrowed for the call; its frames are changed in place. If one of them carries or allocates blocks, the reserve
     * stays untouched. Does not sync, allocates nothing but at the turn of a segment.
     *
     * @param slot of the replica, not 0
     */
    public Appended append(int slot, ByteBuffer b, int from, int to, Placement placement) {
        if (failure != null || closed) {
            return Appended.FAILED;
        }
        if (slot < DiskMeta.FIRST_SLOT) {
            throw new IllegalArgumentException("slot " + slot + " belongs to no replica");
        }
        return fits(b, from, to) ? write(slot, b, from, to, placement) : Appended.FULL;
    }

    private boolean fits(ByteBuffer b, int from, int to) {
        boolean mayUseReserve = true;
        int end = current.end();
        int turns = 0;
        int at = from;
        while (at < to) {
            int length = FrameLayout.frameLength(b, at);
            if (length < RecordLayout.TABLE_OFFSET || length > FrameLayout.RECORD_BYTES_MAX || length > to - at) {
                throw new IllegalArgumentException(
                        "a frame of " + length + " bytes at " + at + " of [" + from + ", " + to + ")");
            }
            // Those that come on credit leave the reserve to what is needed to free space again.
            mayUseReserve &= RecordLayout.creditBytes(b, at) == 0;
            if (end + length > segmentBytes) {
                turns++;
                end = SegmentHeader.BYTES;
            }
            end += length;
            at += length;
        }
        int readyAfter = pool.ready() - turns;
        return mayUseReserve ? readyAfter >= 0 : surelyFree(readyAfter, end) >= 0;
    }

    /**
     * What block records of any lengths may still fill, if the present segment ends at {@code end}: each segment may leave as much as one record unused, one segment is
     * kept for the next start, and the reserve. Negative if nothing.
     */
    private long surelyFree(int ready, int end) {
        if (ready < 1) {
            return -1;
        }
        long here = Math.max(0, segmentBytes - end - FrameLayout.RECORD_BYTES_MAX);
        return here + (ready - 1) * JournalSettings.usableBytes(segmentBytes) - settings.reserveBytes();
    }

    private Appended write(int slot, ByteBuffer b, int from, int to, Placement placement) {
        int limit = b.limit();
        int position = b.position();
        try {
            int runFrom = from;
            int end = current.end();
            int at = from;
            while (at < to) {
                int length = FrameLayout.frameLength(b, at);
                if (end + length > segmentBytes) {
                    writeRun(b, runFrom, at, placement);
                    turn();
                    runFrom = at;
                    end = current.end();
                }
                RecordLayout.stamp(b, at, slot, durablePosition, current.number());
                at += length;
                end += length;
            }
            writeRun(b, runFrom, to, placement);
            syncIfMuch();
            return Appended.DONE;
        } catch (IOException e) {
            fail(e);
            return Appended.FAILED;
        } finally {
            b.limit(limit).position(position);
        }
    }

    private void writeRun(ByteBuffer b, int from, int to, Placement placement) throws IOException {
        if (from == to) {
            return;
        }
        long position = current.endPosition();
        int limit = b.limit();
        b.limit(to).position(from);
        current.append(b);
        b.limit(limit);
        for (int at = from; at < to; at += FrameLayout.frameLength(b, at)) {
            placement.placed(at, position + at - from);
        }
    }

    /** Goes on in the next segment. Its header is not durable before its records are: nothing of it counts until the next sync. */
    private void turn() throws IOException {
        SegmentFile file = pool.take();
        SegmentHeader header = new SegmentHeader(
                Math.addExact(current.number(), 1),
                file.index(),
                segmentBytes,
                current.number(),
                current.endPosition(),
                durablePosition,
                neededPosition);
        file.disk().write(0, header.encode(diskId));
        Segment next = new Segment(file, header, SegmentHeader.BYTES);
        Segment[] longer = Arrays.copyOf(live, live.length + 1);
        longer[live.length] = next;
        live = longer;
        current = next;
    }

    /** Behind the last record. */
    public long appendedPosition() {
        return current.endPosition();
    }

    /** Records that end at or before this are on stable storage. */
    public long durablePosition() {
        return durablePosition;
    }

    /**
     * Syncs everything appended so far, unless it is durable or the journal failed; the listener hears of the outcome. While a sync is under way, the
     * next one starts at its end, for everybody who asked meanwhile.
     */
    public void requestSync() {
        if (failure != null || closed) {
            return;
        }
        if (syncing) {
            syncAgain = true;
        } else if (durablePosition < current.endPosition()) {
            startSync();
        }
    }

    /** Nobody asked for it yet, but sooner or later it must be, and whoever asks then waits for less. */
    private void syncIfMuch() {
        if (!syncing && current.endPosition() - durablePosition >= unaskedSyncBytes) {
            startSync();
        }
    }

    private void startSync() {
        syncing = true;
        syncAgain = false;
        sync.begin();
        worker.run(DiskWorker.Lane.JOURNAL_SYNC, sync, sync);
    }

    private void synced(long target, @Nullable IOException outcome) {
        syncing = false;
        if (closed) {
            closeFiles();
        } else if (syncSucceeded(outcome)) {
            durablePosition = Math.max(durablePosition, target);
            if (syncAgain && durablePosition < current.endPosition()) {
                startSync();
            } else {
                syncIfMuch();
            }
            listener.durable(durablePosition);
        } else if (outcome != null) {
            fail(outcome);
        }
    }

    /** The rule for a failed sync: nothing it covered counts, and there is no second try. */
    private static boolean syncSucceeded(@Nullable IOException outcome) {
        return outcome == null;
    }

    private void fail(IOException cause) {
        if (failure == null) {
            failure = cause;
            listener.failed(cause);
        }
    }

    /** Why the journal takes nothing more; null while it works. */
    @Nullable
    IOException failure() {
        return failure;
    }

    /**
     * Writes down what is durable, without sync. Records do that for what came before them; this is for when no record follows, so that damage of the last ones is
     * noticed as such. For a quiet journal, and before a clean stop.
     */
    public void noteDurable() {
        if (failure != null || closed) {
            return;
        }
        try {
            SegmentHeader header = current.header().with(durablePosition, neededPosition);
            current.file().disk().write(0, header.encode(diskId));
        } catch (IOException e) {
            fail(e);
        }
    }

    /**
     * Fills the remaining bytes of {@code target} from {@code position}, within one segment. Any thread, as long as nobody releases the position.
     *
     * @throws IllegalStateException if the position was released
     */
    public void read(long position, ByteBuffer target) throws IOException {
        segmentOf(position, target.remaining()).read(position, target);
    }

    /**
     * Writes {@code length} bytes from {@code position}, within one segment, to a place in another file; see {@link DiskFile#copyTo}. Any thread, as long as nobody releases the
     * position.
     *
     * @throws IllegalStateException if the position was released
     */
    public void copyTo(long position, int length, DiskFile target, long targetPosition) throws IOException {
        segmentOf(position, length).copyTo(position, length, target, targetPosition);
    }

    private Segment segmentOf(long position, int length) {
        Segment[] segments = live;
        for (int i = segments.length - 1; i >= 0; i--) {
            if (segments[i].start() <= position) {
                if (position - segments[i].start() + length > segmentBytes) {
                    break;
                }
                return segments[i];
            }
        }
        throw new IllegalStateException(
                "journal position " + position + " is not there; the oldest is " + oldestPosition());
    }

    /** Nobody needs a record before {@code position} any more: its segments are used again. Must be durable knowledge of the replicas. */
    public void release(long position) {
        long needed = Math.min(position, durablePosition);
        if (failure != null || closed || needed <= neededPosition) {
            return;
        }
        neededPosition = needed;
        List<Segment> released = new ArrayList<>();
        for (Segment segment : live) {
            if (segment != current && segment.endPosition() <= needed) {
                released.add(segment);
            }
        }
        if (!released.isEmpty()) {
            live = Arrays.copyOfRange(live, released.size(), live.length);
            pool.giveBack(released, needed);
        }
    }

    /** Start of the oldest segment that still holds records: nothing before is readable. */
    public long oldestPosition() {
        return live[0].start() + SegmentHeader.BYTES;
    }

    /**
     * Bytes of frames with blocks that {@link #append} surely takes now, in whatever portions; without the reserve and without segments that are still to be
     * made.
     */
    public long freeBytes() {
        return failure != null ? 0 : Math.max(0, surelyFree(pool.ready(), current.end()));
    }

    /** Whether the disk had no room for another segment when one was to be made. */
    public boolean isStunted() {
        return pool.isStunted();
    }

    /** There may be room again. */
    public void growAgain() {
        pool.growAgain();
    }

    /** What the live segments take, whether somebody still needs it or not. */
    public long usedBytes() {
        return (live.length - 1L) * segmentBytes + current.end();
    }

    /** What {@link #freeBytes} is when the journal is empty and all segments are made that the disk has room for. */
    public long capacityBytes() {
        return surelyFree(pool.filesMax() - 1, SegmentHeader.BYTES);
    }

    /** Closes the files, without sync. A sync under way still ends, its outcome is dropped. */
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        pool.close();
        if (!syncing) {
            closeFiles();
        }
    }

    private void closeFiles() {
        for (Segment segment : live) {
            pool.closeLogging(segment.file());
        }
    }

    private final class PoolListener implements SegmentPool.Listener {
        @Override
        public void ready() {
            listener.spaceGrew();
        }

        @Override
        public void failed(IOException cause) {
            fail(cause);
        }
    }

    /** One sync: what it covers is fixed when it begins. Used again and again, never twice at a time. */
    private final class SyncWork implements DiskWorker.Work, DiskWorker.Outcome {
        private Segment[] segments = new Segment[0];
        private long from;
        private long target;

        void begin() {
            segments = live;
            from = durablePosition;
            target = current.endPosition();
        }

        /** Worker. Oldest first, so that what is durable has no holes. */
        @Override
        public void run() throws IOException {
            for (Segment segment : segments) {
                if (segment.start() + segmentBytes > from && segment.start() < target) {
                    segment.file().disk().sync();
                }
            }
        }

        @Override
        public void done(@Nullable IOException outcome) {
            synced(target, outcome);
        }
    }
}
