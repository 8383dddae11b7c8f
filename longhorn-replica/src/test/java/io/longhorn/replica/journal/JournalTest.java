package io.longhorn.replica.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.disk.QueuedWorker;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Appending, syncing, reading and releasing, without crashes. */
class JournalTest {
    private final JournalRig rig = new JournalRig();

    @Test
    void recordsAreFoundWhereTheyWerePlaced() throws IOException {
        rig.openAndPrepare();
        assertThat(rig.found).isEmpty();
        List<JournalRig.Entry> appended = new ArrayList<>();
        for (int i = 1; i <= 5; i++) {
            appended.add(rig.append(i % 2 + 1, i, i));
        }
        rig.sync();
        rig.journal().close();
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aRecordIsReadBackByItsPosition() throws IOException {
        rig.openAndPrepare();
        List<JournalRig.Entry> appended = new ArrayList<>();
        for (int i = 1; i <= 40; i++) {
            appended.add(rig.append(1, i, 10));
            rig.worker.runAll();
        }
        assertThat(rig.segmentFiles()).hasSizeGreaterThan(3);
        for (JournalRig.Entry each : appended) {
            ByteBuffer b = ByteBuffer.allocate(each.frame().limit()).order(ByteOrder.LITTLE_ENDIAN);
            rig.journal().read(each.position(), b);
            assertThat(JournalRig.entry(each.position(), b, 0)).isEqualTo(each);
        }
        ByteBuffer tooMuch = ByteBuffer.allocate(JournalRig.SEGMENT_BYTES);
        assertThatIllegalStateException()
                .isThrownBy(() -> rig.journal().read(appended.get(0).position(), tooMuch));
        assertThatIllegalStateException().isThrownBy(() -> rig.journal().read(0, ByteBuffer.allocate(8)));
    }

    @Test
    void framesThatLieBehindOneAnotherAreOneWrite() throws IOException {
        rig.openAndPrepare();
        ByteBuffer batch = JournalRig.join(rig.write(1, 1), rig.discard(2), rig.write(3, 2));
        int before = rig.disk.writes;
        List<JournalRig.Entry> placed = new ArrayList<>();
        assertThat(rig.append(7, batch, placed)).isEqualTo(Journal.Appended.DONE);
        assertThat(rig.disk.writes - before).isEqualTo(1);
        assertThat(placed).extracting(JournalRig.Entry::sequence).containsExactly(1L, 2L, 3L);
        assertThat(batch.position()).isZero();
        assertThat(batch.limit()).isEqualTo(batch.capacity());
    }

    @Test
    void aPartOfABufferIsAppended() throws IOException {
        rig.openAndPrepare();
        ByteBuffer first = rig.write(1, 1);
        ByteBuffer batch = JournalRig.join(first, rig.write(2, 1), rig.write(3, 1));
        List<Integer> offsets = new ArrayList<>();
        int length = first.limit();
        rig.journal().append(3, batch, length, 2 * length, (at, position) -> offsets.add(at));
        assertThat(offsets).containsExactly(length);
        assertThat(FrameLayout.slot(batch, 0)).isZero();
        assertThat(FrameLayout.slot(batch, length)).isEqualTo(3);
        assertThat(rig.journal().appendedPosition() % JournalRig.SEGMENT_BYTES).isEqualTo(4096 + length);
    }

    @Test
    void aFrameIsStampedWithSlotSegmentAndWhatIsDurable() throws IOException {
        rig.openAndPrepare();
        rig.append(1, 1, 1);
        rig.sync();
        long durable = rig.journal().durablePosition();
        assertThat(durable).isEqualTo(rig.journal().appendedPosition());
        rig.append(1, 2, 1);
        ByteBuffer frame = rig.write(3, 1);
        List<JournalRig.Entry> placed = new ArrayList<>();
        rig.append(9, frame, placed);
        assertThat(FrameLayout.slot(frame, 0)).isEqualTo(9);
        assertThat(RecordLayout.durablePosition(frame, 0)).isEqualTo(durable);
        assertThat((long) RecordLayout.segment(frame, 0))
                .isEqualTo(placed.get(0).position() / JournalRig.SEGMENT_BYTES);
        assertThat(FrameLayout.headerCrcMatches(frame, 0)).isTrue();
    }

    @Test
    void aBatchTurnsToTheNextSegmentBetweenFrames() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 3; i++) {
            rig.append(1, i, 64);
        }
        ByteBuffer batch = JournalRig.join(rig.write(4, 50), rig.write(5, 20), rig.write(6, 1));
        List<JournalRig.Entry> placed = new ArrayList<>();
        assertThat(rig.append(1, batch, placed)).isEqualTo(Journal.Appended.DONE);
        long first = placed.get(0).position() / JournalRig.SEGMENT_BYTES;
        assertThat(placed.get(1).position()).isEqualTo((first + 1) * JournalRig.SEGMENT_BYTES + 4096);
        assertThat(placed.get(2).position() / JournalRig.SEGMENT_BYTES).isEqualTo(first + 1);
        rig.sync();
        rig.open();
        assertThat(rig.found).hasSize(6).endsWith(placed.get(2));
    }

    @Test
    void oneSyncServesAllWhoAskedWhileTheOneBeforeRan() throws IOException {
        rig.openAndPrepare();
        rig.append(1, 1, 1);
        long first = rig.journal().appendedPosition();
        rig.journal().requestSync();
        rig.append(1, 2, 1);
        rig.journal().requestSync();
        rig.append(2, 1, 1);
        rig.journal().requestSync();
        long last = rig.journal().appendedPosition();
        assertThat(rig.worker.waiting(DiskWorker.Lane.JOURNAL_SYNC)).isEqualTo(1);
        assertThat(rig.worker.runOne(DiskWorker.Lane.JOURNAL_SYNC)).isTrue();
        assertThat(rig.journal().durablePosition()).isEqualTo(first);
        assertThat(rig.worker.waiting(DiskWorker.Lane.JOURNAL_SYNC)).isEqualTo(1);
        rig.worker.runAll();
        assertThat(rig.journal().durablePosition()).isEqualTo(last);
        assertThat(rig.durable).containsExactly(first, last);
        rig.journal().requestSync();
        assertThat(rig.worker.waiting(DiskWorker.Lane.JOURNAL_SYNC)).isZero();
    }

    @Test
    void muchIsSyncedWithoutBeingAskedFor() throws IOException {
        rig.openAndPrepare();
        long before = rig.journal().durablePosition();
        rig.append(1, 1, 1);
        assertThat(rig.worker.waiting(DiskWorker.Lane.JOURNAL_SYNC)).isZero();
        for (int i = 2; rig.worker.waiting(DiskWorker.Lane.JOURNAL_SYNC) == 0; i++) {
            rig.append(1, i, 10);
        }
        long first = rig.journal().appendedPosition();
        assertThat(first - before).isBetween(JournalRig.SEGMENT_BYTES / 2L, JournalRig.SEGMENT_BYTES / 2L + 50_000);
        rig.append(1, 100, 1);

        rig.worker.runAll();

        assertThat(rig.durable).containsExactly(first);
    }

    @Test
    void aSyncCoversAllSegmentsWrittenSinceTheLastOne() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 9; i++) {
            rig.append(1, i, 60);
            rig.makeSegments();
        }
        assertThat(rig.journal().appendedPosition() / JournalRig.SEGMENT_BYTES)
                .isGreaterThan(rig.journal().durablePosition() / JournalRig.SEGMENT_BYTES + 1);
        rig.sync();
        rig.disk.forgetUnsynced();
        rig.open();
        assertThat(rig.found).hasSize(9);
    }

    @Test
    void afterAFailedSyncTheJournalTakesNothingMore() throws IOException {
        rig.openAndPrepare();
        rig.append(1, 1, 1);
        rig.sync();
        long durable = rig.journal().durablePosition();
        rig.append(1, 2, 1);
        rig.disk.failingSync = "segment";
        rig.journal().requestSync();
        rig.journal().requestSync();
        rig.worker.runAll();
        rig.disk.failingSync = "-none-";
        assertThat(rig.failures).hasSize(1);
        assertThat(rig.journal().failure()).isSameAs(rig.failures.get(0));
        assertThat(rig.journal().durablePosition()).isEqualTo(durable);
        assertThat(rig.append(1, rig.write(3, 1), new ArrayList<>())).isEqualTo(Journal.Appended.FAILED);
        assertThat(rig.journal().freeBytes()).isZero();
        rig.journal().requestSync();
        rig.worker.runAll();
        assertThat(rig.journal().durablePosition()).isEqualTo(durable);
        assertThat(rig.durable).containsExactly(durable);
    }

    @Test
    void aShortWriteFailsTheJournalAndItsRecordIsNotThereLater() throws IOException {
        rig.openAndPrepare();
        JournalRig.Entry good = rig.append(1, 1, 1);
        rig.disk.failingWrite = "segment";
        List<JournalRig.Entry> placed = new ArrayList<>();
        assertThat(rig.append(1, rig.write(2, 4), placed)).isEqualTo(Journal.Appended.FAILED);
        rig.disk.failingWrite = "-none-";
        assertThat(placed).isEmpty();
        assertThat(rig.failures).hasSize(1);
        assertThat(rig.append(1, rig.write(3, 1), placed)).isEqualTo(Journal.Appended.FAILED);
        rig.open();
        assertThat(rig.found).containsExactly(good);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aFullJournalRefusesBlocksAndStillTakesWhatFreesSpace() throws IOException {
        rig.openAndPrepare();
        long sequence = 1;
        while (rig.append(1, rig.write(sequence, 1), new ArrayList<>()) == Journal.Appended.DONE) {
            sequence++;
            rig.worker.runAll();
        }
        assertThat(rig.journal().freeBytes()).isLessThan(RecordLayout.writeFrameLength(1));
        assertThat(rig.segmentFiles()).hasSize(6);
        assertThat(rig.append(1, rig.write(sequence, 1), new ArrayList<>())).isEqualTo(Journal.Appended.FULL);
        while (rig.append(1, rig.allocate(sequence), new ArrayList<>()) == Journal.Appended.DONE) {
            sequence++;
        }
        assertThat(rig.journal().freeBytes()).isLessThan(RecordLayout.TABLE_OFFSET);
        long before = rig.journal().appendedPosition();
        assertThat(rig.append(1, rig.discard(sequence), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
        assertThat(rig.journal().appendedPosition()).isEqualTo(before + RecordLayout.TABLE_OFFSET);
        assertThat(rig.append(1, JournalRig.join(rig.discard(sequence), rig.write(sequence, 1)), new ArrayList<>()))
                .isEqualTo(Journal.Appended.FULL);
        long discards = 0;
        while (rig.append(1, rig.discard(++sequence), new ArrayList<>()) == Journal.Appended.DONE) {
            discards++;
        }
        assertThat(discards * RecordLayout.TABLE_OFFSET).isGreaterThanOrEqualTo(rig.settings.reserveBytes());
        assertThat(rig.failures).isEmpty();
        rig.sync();
        rig.journal().release(rig.journal().appendedPosition());
        rig.worker.runAll();
        assertThat(rig.append(1, rig.write(sequence, 16), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
    }

    @Test
    void whatFreeBytesPromisesIsTaken() throws IOException {
        for (long seed = 0; seed < 30; seed++) {
            JournalRig each = new JournalRig();
            each.settings = JournalSettings.of(JournalRig.SEGMENT_BYTES + 4096 * (int) seed * 8, 5);
            each.openAndPrepare();
            Random random = new Random(seed);
            for (int round = 0; round < 6; round++) {
                long free = each.journal().freeBytes();
                assertThat(free).isLessThanOrEqualTo(each.journal().capacityBytes());
                long sequence = 1;
                while (free >= RecordLayout.writeFrameLength(1)) {
                    int blocks = 1 + random.nextInt(64);
                    ByteBuffer frame = each.write(sequence++, blocks);
                    if (frame.limit() <= free) {
                        assertThat(each.append(1, frame, new ArrayList<>()))
                                .as("seed %d round %d", seed, round)
                                .isEqualTo(Journal.Appended.DONE);
                        free -= frame.limit();
                    }
                }
                each.sync();
                each.journal().release(each.journal().appendedPosition());
                each.worker.runAll();
            }
        }
    }

    @Test
    void theWholeCapacityIsFreeWhenAllSegmentsAreMade() throws IOException {
        rig.openAndPrepare();
        rig.settings = new JournalSettings(JournalRig.SEGMENT_BYTES, 6, 5, 1000, 0);
        rig.openAndPrepare();
        long restart = rig.journal().capacityBytes();
        assertThat(rig.journal().freeBytes()).isEqualTo(restart);
        assertThat(rig.spaceGrew).isPositive();
    }

    @Test
    void onASmallDiskItStaysSmall() throws IOException {
        rig.settings = JournalSettings.of(JournalRig.SEGMENT_BYTES, 12);
        rig.disk.freePages = 40L * JournalRig.SEGMENT_BYTES / 4096;
        rig.openAndPrepare();
        fill();
        assertThat(rig.segmentFiles()).hasSize(8);
        long small = rig.journal().capacityBytes();
        assertThat(rig.journal().isStunted()).isFalse();

        rig.disk.freePages = 100L * JournalRig.SEGMENT_BYTES / 4096;
        rig.sync();
        rig.journal().release(rig.journal().appendedPosition());
        rig.worker.runAll();
        fill();

        assertThat(rig.segmentFiles()).hasSize(12);
        assertThat(rig.journal().capacityBytes()).isGreaterThan(small + 2L * JournalRig.SEGMENT_BYTES);
        assertThat(rig.failures).isEmpty();
    }

    /** Appends until nothing fits. */
    private void fill() {
        long sequence = 1;
        while (rig.append(1, rig.write(sequence++, 60), new ArrayList<>()) == Journal.Appended.DONE) {
            rig.makeSegments();
        }
    }

    @Test
    void segmentsAreUsedAgainAndReleasedRecordsAreGone() throws IOException {
        rig.openAndPrepare();
        JournalRig.Entry first = rig.append(1, 1, 30);
        for (int i = 2; i <= 200; i++) {
            rig.append(1, i, 30);
            rig.sync();
            rig.journal().release(rig.journal().durablePosition());
            rig.worker.runAll();
        }
        assertThat(rig.segmentFiles()).hasSizeLessThanOrEqualTo(6);
        assertThat(rig.journal().oldestPosition()).isGreaterThan(first.position());
        assertThatIllegalStateException()
                .isThrownBy(() -> rig.journal().read(first.position(), ByteBuffer.allocate(8)));
        rig.open();
        assertThat(rig.found)
                .extracting(JournalRig.Entry::sequence)
                .contains(200L)
                .doesNotContain(1L, 100L);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aReleasedSegmentIsNotUsedBeforeItsReleaseIsDurable() throws IOException {
        rig.openAndPrepare();
        while (rig.append(1, rig.write(1, 40), new ArrayList<>()) == Journal.Appended.DONE) {
            rig.worker.runAll();
        }
        rig.sync();
        rig.journal().release(rig.journal().durablePosition());
        assertThat(rig.append(1, rig.write(2, 40), new ArrayList<>())).isEqualTo(Journal.Appended.FULL);
        int grewBefore = rig.spaceGrew;
        rig.worker.runAll();
        assertThat(rig.spaceGrew).isGreaterThan(grewBefore);
        assertThat(rig.append(1, rig.write(2, 40), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
    }

    @Test
    void nothingIsReleasedThatIsNotDurable() throws IOException {
        rig.openAndPrepare();
        JournalRig.Entry first = rig.append(1, 1, 60);
        for (int i = 2; i <= 5; i++) {
            rig.append(1, i, 60);
        }
        rig.journal().release(Long.MAX_VALUE);
        rig.worker.runAll();
        rig.journal().read(first.position(), ByteBuffer.allocate(8));
        assertThat(rig.journal().oldestPosition()).isEqualTo(first.position());
    }

    @Test
    void aReleaseThatCannotBeMarkedFailsTheJournal() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 5; i++) {
            rig.append(1, i, 60);
        }
        rig.sync();
        rig.journal().release(rig.journal().durablePosition());
        rig.disk.failingSync = "segment";
        rig.worker.runAll();
        assertThat(rig.failures).hasSize(1);
    }

    @Test
    void aDiskWithoutRoomForMoreSegmentsKeepsTheOnesItHas() throws IOException {
        rig.openAndPrepare();
        assertThat(rig.segmentFiles()).hasSize(3);
        rig.disk.freePages = 20;
        long sequence = 1;
        while (rig.append(1, rig.write(sequence, 40), new ArrayList<>()) == Journal.Appended.DONE) {
            rig.sync();
            sequence++;
        }
        assertThat(rig.failures).isEmpty();
        assertThat(rig.segmentFiles().stream().filter(name -> !name.endsWith(".new")))
                .hasSize(3);
        rig.disk.freePages = 1 << 20;
        rig.journal().release(rig.journal().durablePosition());
        rig.worker.runAll();
        for (int i = 0; i < 4; i++) {
            assertThat(rig.append(1, rig.write(sequence++, 40), new ArrayList<>()))
                    .isEqualTo(Journal.Appended.DONE);
            rig.sync();
        }
        assertThat(rig.segmentFiles()).hasSizeGreaterThan(3);
        rig.open();
        assertThat(rig.segmentFiles()).noneMatch(name -> name.endsWith(".new"));
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void closingClosesEveryFileEvenWithWorkUnderWay() throws IOException {
        rig.open();
        assertThat(rig.append(1, rig.discard(1), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
        rig.journal().requestSync();
        rig.journal().close();
        rig.journal().close();
        assertThat(rig.append(1, rig.write(2, 1), new ArrayList<>())).isEqualTo(Journal.Appended.FAILED);
        rig.journal().noteDurable();
        rig.journal().requestSync();
        rig.journal().release(Long.MAX_VALUE);
        rig.worker.runAll();
        assertThat(rig.disk.open).isZero();
        assertThat(rig.durable).isEmpty();
        assertThat(rig.failures).isEmpty();
    }

    @Test
    void whatIsNoRecordOfAReplicaIsRefused() throws IOException {
        rig.openAndPrepare();
        assertThatIllegalArgumentException().isThrownBy(() -> rig.append(0, rig.write(1, 1), new ArrayList<>()));
        ByteBuffer cut = rig.write(1, 1).limit(4100);
        assertThatIllegalArgumentException().isThrownBy(() -> rig.append(1, cut, new ArrayList<>()));
        ByteBuffer empty = ByteBuffer.allocate(80).order(ByteOrder.LITTLE_ENDIAN);
        assertThatIllegalArgumentException().isThrownBy(() -> rig.append(1, empty, new ArrayList<>()));
    }

    @Test
    void appendingAllocatesNothing(@TempDir Path directory) throws IOException {
        try (PathDirectory disk = PathDirectory.open(directory)) {
            appendWithoutAllocating(disk);
        }
    }

    private void appendWithoutAllocating(DiskDirectory disk) throws IOException {
        QueuedWorker worker = new QueuedWorker();
        JournalSettings settings = JournalSettings.of(4 << 20, 4);
        Journal journal =
                Journal.recover(disk, settings, JournalRig.DISK_ID, worker, rig.new Listener(), rig.new Sink());
        worker.runAll();
        ByteBuffer frame =
                ByteBuffer.allocateDirect(RecordLayout.writeFrameLength(1)).order(ByteOrder.LITTLE_ENDIAN);
        frame.put(0, rig.write(1, 1), 0, frame.limit());
        long[] last = new long[1];
        Journal.Placement placement = (at, position) -> last[0] = position;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        int round = 300;
        long least = Long.MAX_VALUE;
        for (int rounds = 0; rounds < 200 && least >= round; rounds++) {
            long before = threads.getThreadAllocatedBytes(thread);
            for (int i = 0; i < round; i++) {
                journal.append(1, frame, 0, frame.limit(), placement);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
            journal.requestSync();
            worker.runAll();
            journal.release(journal.durablePosition());
            worker.runAll();
        }
        journal.close();
        assertThat(last[0]).isPositive();
        assertThat(least).as("bytes for %d appends", round).isLessThan(round);
    }

    @Test
    void settingsThatCannotWorkAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> JournalSettings.of(64 << 10, 8));
        assertThatIllegalArgumentException().isThrownBy(() -> JournalSettings.of((1 << 20) + 1, 8));
        assertThatIllegalArgumentException().isThrownBy(() -> JournalSettings.of(1 << 20, 3));
        assertThatIllegalArgumentException().isThrownBy(() -> new JournalSettings(1 << 20, 8, 1, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new JournalSettings(1 << 20, 8, 8, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new JournalSettings(1 << 20, 4, 2, 4 << 20, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new JournalSettings(1 << 20, 4, 2, -1, 0));
        assertThat(JournalSettings.DEFAULT.segmentsMax()).isEqualTo(32);
    }
}
