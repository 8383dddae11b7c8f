package io.longhorn.replica.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.MemoryDisk;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.disk.QueuedWorker;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A journal on a {@link MemoryDisk}, with what it told and what it found. */
public final class JournalRig {
    static final UUID DISK_ID = new UUID(0x0102030405060708L, 0x090a0b0c0d0e0f10L);
    static final int SEGMENT_BYTES = 1 << 20;

    /** A record as it was appended or found; the frame without its stamp. */
    record Entry(long position, int slot, long sequence, ByteBuffer frame) {}

    public final MemoryDisk disk = new MemoryDisk();
    QueuedWorker worker = new QueuedWorker();
    JournalSettings settings = JournalSettings.of(SEGMENT_BYTES, 6);
    final List<Entry> found = new ArrayList<>();
    final List<JournalGap> gaps = new ArrayList<>();
    final List<Long> durable = new ArrayList<>();
    final List<IOException> failures = new ArrayList<>();
    int spaceGrew;

    @Nullable
    Journal journal;

    private final FramePool pool = new FramePool();

    /** Opens the journal, again if it was open, as after the end of the process. What it finds replaces what was found before. */
    Journal open() throws IOException {
        found.clear();
        gaps.clear();
        durable.clear();
        failures.clear();
        worker = new QueuedWorker();
        Journal opened = Journal.recover(disk, settings, DISK_ID, worker, new Listener(), new Sink());
        journal = opened;
        return opened;
    }

    /** {@link #open}, then makes the segments that it wants ahead. */
    Journal openAndPrepare() throws IOException {
        Journal opened = open();
        worker.runAll();
        return opened;
    }

    Journal journal() {
        Journal present = journal;
        if (present == null) {
            throw new IllegalStateException("not open");
        }
        return present;
    }

    /** The worker makes segments ahead, and syncs nothing. */
    void makeSegments() {
        while (worker.runOne(DiskWorker.Lane.CHECKPOINT)) {
            // One after another.
        }
    }

    /** Appends a WRITE of that many blocks. */
    Entry append(int slot, long sequence, int blocks) {
        List<Entry> placed = new ArrayList<>();
        assertThat(append(slot, write(sequence, blocks), placed)).isEqualTo(Journal.Appended.DONE);
        return placed.get(0);
    }

    /** Appends frames that lie behind one another. */
    Journal.Appended append(int slot, ByteBuffer frames, List<Entry> placed) {
        return journal()
                .append(slot, frames, 0, frames.limit(), (at, position) -> placed.add(entry(position, frames, at)));
    }

    void sync() {
        journal().requestSync();
        worker.runAll();
    }

    /** A WRITE whose content depends on its sequence. */
    public ByteBuffer write(long sequence, int blocks) {
        FrameBuffer frame = pool.acquire(RecordLayout.writeFrameLength(blocks));
        ByteBuffer b = frame.bytes();
        int header = RecordLayout.writeHeaderLength(blocks);
        for (int i = 0; i < blocks * FrameLayout.BLOCK_BYTES; i += Long.BYTES) {
            b.putLong(header + i, sequence * 31 + i);
        }
        RecordLayout.encodeWrite(frame, 0, 1, sequence, 0, sequence * 4096, blocks);
        return copy(frame);
    }

    /** A record without blocks. */
    public ByteBuffer discard(long sequence) {
        FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET);
        RecordLayout.encodeRange(frame, FrameType.DISCARD, 0, 1, sequence, 0, 0, 4096);
        return copy(frame);
    }

    /** A record that allocates blocks. */
    public ByteBuffer allocate(long sequence) {
        FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET);
        RecordLayout.encodeRange(frame, FrameType.WRITE_ZEROES, FrameLayout.FLAG_ALLOCATE, 1, sequence, 0, 0, 4096);
        return copy(frame);
    }

    private static ByteBuffer copy(FrameBuffer frame) {
        ByteBuffer copy = ByteBuffer.allocate(frame.length()).order(ByteOrder.LITTLE_ENDIAN);
        copy.put(0, frame.bytes(), 0, frame.length());
        frame.release();
        return copy;
    }

    static ByteBuffer join(ByteBuffer... frames) {
        int length = 0;
        for (ByteBuffer frame : frames) {
            length += frame.limit();
        }
        ByteBuffer joined = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        for (ByteBuffer frame : frames) {
            joined.put(frame.duplicate());
        }
        return joined.flip();
    }

    static Entry entry(long position, ByteBuffer b, int at) {
        int length = FrameLayout.frameLength(b, at);
        ByteBuffer frame = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        frame.put(0, b, at, length);
        int slot = FrameLayout.slot(frame, 0);
        RecordLayout.clearStamp(frame, 0);
        return new Entry(position, slot, RecordLayout.sequence(b, at), frame);
    }

    /** The file that holds a position now, and where in it. */
    String fileOf(long position) {
        for (String name : segmentFiles()) {
            SegmentHeader header = header(name);
            if (header != null && position >= header.start() && position < header.start() + SEGMENT_BYTES) {
                return name;
            }
        }
        throw new IllegalArgumentException("no segment holds " + position);
    }

    static long offsetOf(long position) {
        return position % SEGMENT_BYTES;
    }

    List<String> segmentFiles() {
        return disk.list(JournalSettings.DIRECTORY).stream()
                .map(name -> JournalSettings.DIRECTORY + "/" + name)
                .toList();
    }

    @Nullable
    SegmentHeader header(String name) {
        ByteBuffer b = ByteBuffer.wrap(disk.bytes(name)).order(ByteOrder.LITTLE_ENDIAN);
        int index = SegmentFile.indexOf(name.substring(name.indexOf('/') + 1)).orElseThrow();
        return SegmentHeader.decode(b, index, DISK_ID, MetadataFile.path(disk, name));
    }

    void putHeader(String name, SegmentHeader header) {
        disk.poke(name, 0, header.encode(DISK_ID));
    }

    final class Sink implements RecoverySink {
        @Override
        public void record(long position, ByteBuffer b, int at) {
            found.add(entry(position, b, at));
        }

        @Override
        public void gap(JournalGap gap) {
            gaps.add(gap);
        }
    }

    final class Listener implements JournalListener {
        @Override
        public void durable(long position) {
            durable.add(position);
        }

        @Override
        public void spaceGrew() {
            spaceGrew++;
        }

        @Override
        public void failed(IOException cause) {
            failures.add(cause);
        }
    }
}
