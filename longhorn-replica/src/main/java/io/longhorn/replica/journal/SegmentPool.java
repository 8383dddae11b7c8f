package io.longhorn.replica.journal;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskWorker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of a journal that no segment is in: made ahead of use and taken back from released segments, by a worker. A file taken back is ready only when a durable
 * header says that what it held is not needed; else a crash after its next use began could bring the old segment back, half overwritten. Belongs to the loop.
 */
final class SegmentPool {

    /** Told on the loop. */
    interface Listener {
        /** A file is ready. */
        void ready();

        /** A released segment could not be marked: its disk fails. */
        void failed(IOException cause);
    }

    private static final Logger LOG = LoggerFactory.getLogger(SegmentPool.class);

    /** So many are made on any disk that has room for them, further ones only on one with much room. */
    private static final int MODEST_FILES = 8;

    private static final long ROOM_PER_FILE = 4;

    private final DiskDirectory directory;
    private final JournalSettings settings;
    private final UUID diskId;
    private final int segmentBytes;
    private final DiskWorker worker;
    private final Listener listener;
    private final ArrayDeque<SegmentFile> ready;
    /** Indexes of all files, also of those in use. */
    private final BitSet indexes = new BitSet();

    /** All files, also those in use and on their way, without those being deleted. */
    private int files;

    private int filesMax;
    /** Files on their way back. */
    private int returning;

    private boolean making;
    /** So that a full disk is logged once, not at every attempt. */
    private boolean makingFailed;

    private boolean closed;

    SegmentPool(
            DiskDirectory directory,
            JournalSettings settings,
            UUID diskId,
            int segmentBytes,
            DiskWorker worker,
            Listener listener,
            ArrayDeque<SegmentFile> ready,
            Collection<Segment> inUse) {
        this.directory = directory;
        this.settings = settings;
        this.diskId = diskId;
        this.segmentBytes = segmentBytes;
        this.worker = worker;
        this.listener = listener;
        this.ready = ready;
        ready.forEach(file -> indexes.set(file.index()));
        inUse.forEach(segment -> indexes.set(segment.file().index()));
        files = indexes.cardinality();
        filesMax = settings.segmentsMax();
        shrink();
        grow();
    }

    /** Files that can be taken. */
    int ready() {
        return ready.size();
    }

    /** Whether the last attempt to make a file failed. */
    boolean isStunted() {
        return makingFailed;
    }

    /** Takes the one that was used longest ago. There must be one. */
    SegmentFile take() {
        SegmentFile file = ready.remove();
        grow();
        return file;
    }

    /** Takes the files of released segments back, oldest first; {@code needed} is where the records begin that are still needed. */
    void giveBack(List<Segment> released, long needed) {
        Segment newest = released.get(released.size() - 1);
        ByteBuffer header = newest.header().with(newest.endPosition(), needed).encode(diskId);
        returning += released.size();
        worker.run(
                DiskWorker.Lane.CHECKPOINT,
                () -> {
                    newest.file().disk().write(0, header);
                    newest.file().disk().sync();
                },
                failure -> returned(released, failure));
    }

    private void returned(List<Segment> released, @Nullable IOException failure) {
        returning -= released.size();
        released.forEach(segment -> ready.add(segment.file()));
        if (closed) {
            close();
        } else if (failure != null) {
            listener.failed(failure);
        } else {
            shrink();
            grow();
            listener.ready();
        }
    }

    /** Tries again if there was no room for a file. */
    void growAgain() {
        if (makingFailed) {
            grow();
        }
    }

    /** Makes files as long as too few are ready and there may be more. A failed attempt is repeated when the next file is taken or comes back, or somebody asks. */
    private void grow() {
        boolean wanted = ready.size() + returning < settings.segmentsAhead();
        if (closed || making || !wanted) {
            return;
        }
        int most = settings.segmentsMax();
        filesMax = most <= MODEST_FILES || hasMuchRoom() ? most : MODEST_FILES;
        if (files >= filesMax) {
            return;
        }
        making = true;
        files++;
        int index = indexes.nextClearBit(0);
        indexes.set(index);
        boolean minimal = files <= JournalSettings.SEGMENTS_MIN;
        AtomicReference<SegmentFile> made = new AtomicReference<>();
        worker.run(
                DiskWorker.Lane.CHECKPOINT,
                () -> made.set(make(index, minimal)),
                failure -> made(index, made.get(), failure));
    }

    /** Whether the disk would have a few times as much free as the journal takes with one more file: a small disk gets a small journal. */
    private boolean hasMuchRoom() {
        try {
            long room = directory.usableBytes() - settings.diskReserveBytes();
            return room >= ROOM_PER_FILE * (files + 1) * segmentBytes;
        } catch (IOException e) {
            LOG.debug("free space cannot be told directory={}", directory.describe(), e);
            return false;
        }
    }

    /** How many files there may be, by the settings and by what was free when one was wanted last. */
    int filesMax() {
        return Math.max(files, filesMax);
    }

    /** Worker. */
    private SegmentFile make(int index, boolean minimal) throws IOException {
        long room = directory.usableBytes() - settings.diskReserveBytes();
        if (!minimal && room < segmentBytes) {
            throw new IOException(
                    "the disk has " + Math.max(0, room) + " bytes beyond its reserve, a segment takes " + segmentBytes);
        }
        return SegmentFile.make(directory, index, segmentBytes);
    }

    private void made(int index, @Nullable SegmentFile file, @Nullable IOException failure) {
        making = false;
        if (file == null) {
            files--;
            indexes.clear(index);
            if (!makingFailed) {
                LOG.warn("the journal cannot grow directory={} segments={}", directory.describe(), files, failure);
            }
            makingFailed = true;
            return;
        }
        makingFailed = false;
        ready.add(file);
        if (closed) {
            close();
        } else {
            grow();
            listener.ready();
        }
    }

    /** Deletes files in excess of the setting: a disk whose starts crashed repeatedly has some. */
    private void shrink() {
        while (files > settings.segmentsMax() && ready.size() > settings.segmentsAhead()) {
            files--;
            SegmentFile surplus = ready.remove();
            worker.run(
                    DiskWorker.Lane.CHECKPOINT,
                    () -> {
                        surplus.disk().close();
                        directory.delete(SegmentFile.name(surplus.index()));
                    },
                    failure -> deleted(surplus.index(), failure));
        }
    }

    private void deleted(int index, @Nullable IOException failure) {
        if (failure == null) {
            indexes.clear(index);
        } else {
            LOG.warn("a surplus journal segment stays directory={} file={}", directory.describe(), index, failure);
        }
    }

    /** Closes what is ready, now, and what is still on its way when it comes. */
    void close() {
        closed = true;
        while (!ready.isEmpty()) {
            closeLogging(ready.remove());
        }
    }

    /** What was not synced is not promised to anybody, so a failure loses nothing. */
    void closeLogging(SegmentFile file) {
        try {
            file.disk().close();
        } catch (IOException e) {
            LOG.warn("closing a journal segment failed directory={} file={}", directory.describe(), file.index(), e);
        }
    }
}
