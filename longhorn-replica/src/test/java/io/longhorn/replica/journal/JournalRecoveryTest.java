package io.longhorn.replica.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.longhorn.DamagedFileException;
import io.longhorn.DiskFullException;
import io.longhorn.FileTooNewException;
import io.longhorn.FileTooOldException;
import io.longhorn.ForeignFileException;
import io.longhorn.replica.disk.FileHeader;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a journal makes of files as crashes and damage leave them. */
class JournalRecoveryTest {
    private final JournalRig rig = new JournalRig();

    /** Records 1 to {@code count} of replica {@code sequence % 3 + 1}, each of 2 blocks, every one but the last known durable. */
    private List<JournalRig.Entry> fill(int count) throws IOException {
        rig.openAndPrepare();
        List<JournalRig.Entry> appended = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            appended.add(rig.append(i % 3 + 1, i, 2));
            rig.sync();
        }
        return appended;
    }

    private void flip(JournalRig.Entry entry, long offset) {
        rig.disk.flip(rig.fileOf(entry.position()), JournalRig.offsetOf(entry.position()) + offset, 0x04);
    }

    private static <T> List<T> without(List<T> list, int index) {
        List<T> rest = new ArrayList<>(list);
        rest.remove(index);
        return rest;
    }

    @Test
    void aTornTailIsTheEndWhereverItIsCut() throws IOException {
        List<JournalRig.Entry> appended = fill(5);
        JournalRig.Entry torn = rig.append(1, 6, 2);
        String file = rig.fileOf(torn.position());
        byte[] good = rig.disk.bytes(file);
        int length = torn.frame().limit();
        for (int kept = 0; kept < length; kept += kept < 120 ? 1 : 509) {
            byte[] cut = good.clone();
            int from = (int) JournalRig.offsetOf(torn.position()) + kept;
            Arrays.fill(cut, from, from + length - kept, (byte) 0);
            JournalRig each = copyWith(file, cut);
            each.open();
            assertThat(each.found).as("%d bytes kept", kept).isEqualTo(appended);
            assertThat(each.gaps).isEmpty();
        }
    }

    /** Another rig on a copy of the disk with one file replaced. */
    private JournalRig copyWith(String file, byte[] bytes) {
        JournalRig copy = new JournalRig();
        for (String name : rig.disk.allNames()) {
            copy.disk.put(name, name.equals(file) ? bytes : rig.disk.bytes(name));
        }
        return copy;
    }

    @Test
    void afterATornTailAppendsGoToAFreshSegment() throws IOException {
        List<JournalRig.Entry> appended = fill(5);
        JournalRig.Entry torn = rig.append(1, 6, 2);
        flip(torn, 500);
        rig.openAndPrepare();
        assertThat(rig.found).isEqualTo(appended);
        JournalRig.Entry next = rig.append(1, 6, 1);
        assertThat(next.position() / JournalRig.SEGMENT_BYTES)
                .isGreaterThan(torn.position() / JournalRig.SEGMENT_BYTES);
        assertThat(JournalRig.offsetOf(next.position())).isEqualTo(SegmentHeader.BYTES);
        rig.sync();
        rig.open();
        assertThat(rig.found)
                .hasSize(6)
                .startsWith(appended.toArray(JournalRig.Entry[]::new))
                .endsWith(next);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aDamagedBlockBelowADurablePositionIsDamageOfItsReplica() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        flip(appended.get(2), 2000);
        rig.open();
        assertThat(rig.found).isEqualTo(without(appended, 2));
        assertThat(rig.gaps).hasSize(1);
        JournalGap gap = rig.gaps.get(0);
        assertThat(gap.slot()).isEqualTo(appended.get(2).slot());
        assertThat(gap.from()).isEqualTo(appended.get(2).position());
        assertThat(gap.to()).isEqualTo(appended.get(3).position());
        assertThat((long) gap.segment()).isEqualTo(gap.from() / JournalRig.SEGMENT_BYTES);
    }

    @Test
    void aDamagedHeaderBelowADurablePositionIsDamageOfAnyReplica() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        for (int at = 0; at < RecordLayout.TABLE_OFFSET; at++) {
            flip(appended.get(2), at);
            rig.open();
            assertThat(rig.found).as("byte %d", at).isEqualTo(without(appended, 2));
            assertThat(rig.gaps).hasSize(1);
            assertThat(rig.gaps.get(0).slot()).isZero();
            assertThat(rig.gaps.get(0).from()).isEqualTo(appended.get(2).position());
            assertThat(rig.gaps.get(0).to()).isEqualTo(appended.get(3).position());
            flip(appended.get(2), at);
        }
    }

    @Test
    void damageIsToldAgainUntilTheSegmentIsReleased() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        flip(appended.get(2), 2000);
        rig.openAndPrepare();
        rig.openAndPrepare();
        assertThat(rig.gaps).hasSize(1);
        rig.journal().release(rig.journal().durablePosition());
        rig.worker.runAll();
        rig.open();
        assertThat(rig.gaps).isEmpty();
        assertThat(rig.found).isEmpty();
    }

    @Test
    void damageOfTheLastDurableRecordIsNoticedOnceItWasNoted() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        rig.journal().noteDurable();
        flip(appended.get(5), 2000);
        rig.open();
        assertThat(rig.gaps).hasSize(1);
        assertThat(rig.gaps.get(0).slot()).isEqualTo(appended.get(5).slot());
        assertThat(rig.found).isEqualTo(without(appended, 5));
    }

    @Test
    void damageOfTheLastRecordsHeaderIsNoticedOnceItWasNoted() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        rig.journal().noteDurable();
        flip(appended.get(5), 8);
        rig.open();
        assertThat(rig.gaps).hasSize(1);
        assertThat(rig.gaps.get(0).from()).isEqualTo(appended.get(5).position());
        assertThat(rig.found).isEqualTo(without(appended, 5));
    }

    @Test
    void everyStartNotesWhatItFound() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        rig.open();
        flip(appended.get(5), 2000);
        rig.open();
        assertThat(rig.gaps).hasSize(1);
    }

    @Test
    void whatWasFoundIsDurableBeforeItIsReported() throws IOException {
        rig.openAndPrepare();
        List<JournalRig.Entry> appended = new ArrayList<>();
        for (int i = 1; i <= 9; i++) {
            appended.add(rig.append(1, i, 50));
            rig.worker.runAll();
        }
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        rig.disk.forgetUnsynced();
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aStartWhoseSyncFailsReportsNothing() throws IOException {
        rig.openAndPrepare();
        rig.append(1, 1, 1);
        rig.disk.failingSync = "segment";
        assertThatExceptionOfType(IOException.class).isThrownBy(rig::open);
    }

    @Test
    void aStartThatFailsClosesItsFiles() throws IOException {
        rig.openAndPrepare();
        rig.append(1, 1, 1);
        rig.journal().close();
        rig.disk.failingSync = "segment";
        assertThatExceptionOfType(IOException.class).isThrownBy(rig::open);
        assertThat(rig.disk.open).isZero();
    }

    @Test
    void recordsOfAnEarlierUseOfTheFileAreNotFound() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 100; i++) {
            rig.append(1, i, 30);
            rig.sync();
            rig.journal().release(rig.journal().durablePosition());
            rig.worker.runAll();
        }
        JournalRig.Entry last = rig.append(2, 1, 1);
        String file = rig.fileOf(last.position());
        byte[] bytes = rig.disk.bytes(file);
        int behind = (int) JournalRig.offsetOf(last.position()) + last.frame().limit();
        boolean oldBytes = false;
        for (int at = behind; at < bytes.length; at++) {
            oldBytes |= bytes[at] != 0;
        }
        assertThat(oldBytes).as("the file holds something of its earlier use").isTrue();
        rig.open();
        assertThat(rig.found).endsWith(last);
        assertThat(rig.found).isSortedAccordingTo((a, b) -> Long.compare(a.position(), b.position()));
        assertThat(rig.found).filteredOn(each -> each.slot() == 1).hasSizeLessThan(10);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void filesUsedAgainWhoseNewHeadersWereLostBringNothingBack() throws IOException {
        rig.openAndPrepare();
        JournalRig.Entry old = rig.append(1, 1, 60);
        String file = rig.fileOf(old.position());
        long sequence = 1;
        while (rig.segmentFiles().size() < 6 || rig.journal().freeBytes() > 0) {
            if (rig.append(1, rig.write(++sequence, 1), new ArrayList<>()) == Journal.Appended.FULL) {
                break;
            }
            rig.sync();
        }
        rig.journal().release(rig.journal().oldestPosition() + JournalRig.SEGMENT_BYTES);
        rig.worker.runAll();
        Map<String, byte[]> headers = new HashMap<>();
        rig.segmentFiles().forEach(name -> headers.put(name, Arrays.copyOf(rig.disk.bytes(name), SegmentHeader.BYTES)));
        List<JournalRig.Entry> appended = new ArrayList<>();
        while (rig.header(file).start() < old.position()) {
            assertThat(rig.append(1, rig.discard(++sequence), appended)).isEqualTo(Journal.Appended.DONE);
        }
        // The power goes: the records are on the disk, the headers written since are not.
        headers.forEach((name, header) -> rig.disk.poke(name, 0, header));
        rig.open();
        assertThat(rig.gaps).isEmpty();
        long oldSegment = old.position() / JournalRig.SEGMENT_BYTES;
        assertThat(rig.found).isNotEmpty();
        assertThat(rig.found).allMatch(each -> each.position() / JournalRig.SEGMENT_BYTES > oldSegment);
    }

    @Test
    void aRecordWithAnotherSegmentsNumberIsNotFound() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        long end = rig.journal().appendedPosition();
        for (int difference : new int[] {-1, 1, 1000}) {
            ByteBuffer alien = rig.write(4, 1);
            RecordLayout.stamp(alien, 0, 1, 0, (int) (end / JournalRig.SEGMENT_BYTES) + difference);
            String file = rig.fileOf(end);
            byte[] bytes = rig.disk.bytes(file);
            alien.get(0, bytes, (int) JournalRig.offsetOf(end), alien.limit());
            JournalRig each = copyWith(file, bytes);
            each.open();
            assertThat(each.found).isEqualTo(appended);
            assertThat(each.gaps).isEmpty();
        }
    }

    @Test
    void aRecordThatKnowsTheFutureIsNotFound() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        long end = rig.journal().appendedPosition();
        ByteBuffer wrong = rig.write(4, 1);
        RecordLayout.stamp(wrong, 0, 1, end + 8, (int) (end / JournalRig.SEGMENT_BYTES));
        rig.disk.poke(rig.fileOf(end), JournalRig.offsetOf(end), wrong);
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
    }

    /** Three segments of records, each record known durable but for the last one. */
    private List<JournalRig.Entry> fillSegments() throws IOException {
        rig.openAndPrepare();
        List<JournalRig.Entry> appended = new ArrayList<>();
        for (int i = 1; i <= 11; i++) {
            appended.add(rig.append(i % 2 + 1, i, 60));
            rig.sync();
        }
        long first = appended.get(0).position() / JournalRig.SEGMENT_BYTES;
        assertThat(appended.get(10).position() / JournalRig.SEGMENT_BYTES).isEqualTo(first + 2);
        return appended;
    }

    @Test
    void aMissingSegmentIsDamage() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        long second = appended.get(0).position() / JournalRig.SEGMENT_BYTES + 1;
        rig.disk.delete(rig.fileOf(second * JournalRig.SEGMENT_BYTES));
        rig.open();
        List<JournalRig.Entry> rest = new ArrayList<>(appended);
        rest.removeIf(each -> each.position() / JournalRig.SEGMENT_BYTES == second);
        assertThat(rest).hasSizeLessThan(appended.size());
        assertThat(rig.found).isEqualTo(rest);
        // Nobody knows any more where the first segment ended, either.
        assertThat(rig.gaps).extracting(JournalGap::segment).containsExactly((int) second - 1, (int) second);
        assertThat(rig.gaps).allMatch(gap -> gap.slot() == 0);
    }

    @Test
    void aSegmentWhoseHeaderIsDamagedStillGivesItsRecords() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        long first = appended.get(0).position() / JournalRig.SEGMENT_BYTES;
        for (long number = first; number <= first + 2; number++) {
            String file = rig.fileOf(number * JournalRig.SEGMENT_BYTES);
            byte[] good = rig.disk.bytes(file);
            for (int at = 0; at < 130; at += 3) {
                byte[] flipped = good.clone();
                flipped[at] ^= 1;
                JournalRig each = copyWith(file, flipped);
                each.open();
                assertThat(each.found)
                        .as("segment %d byte %d", number - first, at)
                        .isEqualTo(appended);
            }
        }
    }

    @Test
    void aSegmentThatGotItsHeaderBackIsWholeAtTheNextStart() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        rig.disk.flip(rig.fileOf(appended.get(0).position()), 70, 1);
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
        assertThat(rig.segmentFiles()).allMatch(name -> rig.header(name) != null);
    }

    @Test
    void recordsMissingBeforeThePreviousEndAreDamage() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        long third = appended.get(10).position() / JournalRig.SEGMENT_BYTES;
        String file = rig.fileOf(third * JournalRig.SEGMENT_BYTES);
        SegmentHeader header = rig.header(file);
        assertThat(header).isNotNull();
        long end = header.previousEnd();
        SegmentHeader later = new SegmentHeader(
                header.number(),
                header.file(),
                header.segmentBytes(),
                header.previousNumber(),
                end + 800,
                header.durablePosition() + 800,
                0);
        rig.putHeader(file, later);
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).hasSize(1);
        assertThat(rig.gaps.get(0).from()).isEqualTo(end);
        assertThat(rig.gaps.get(0).to()).isEqualTo(end + 800);
    }

    @Test
    void aRecordThatLeavesThePreviousEndIsDamage() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        long third = appended.get(10).position() / JournalRig.SEGMENT_BYTES;
        String file = rig.fileOf(third * JournalRig.SEGMENT_BYTES);
        SegmentHeader header = rig.header(file);
        assertThat(header).isNotNull();
        SegmentHeader earlier = new SegmentHeader(
                header.number(),
                header.file(),
                header.segmentBytes(),
                header.previousNumber(),
                header.previousEnd() - 8,
                header.durablePosition(),
                0);
        rig.putHeader(file, earlier);
        rig.open();
        assertThat(rig.gaps).hasSize(1);
        assertThat(rig.found).hasSize(appended.size() - 1);
    }

    @Test
    void whatFollowsANonDurableHoleIsDroppedForGood() throws IOException {
        rig.openAndPrepare();
        List<JournalRig.Entry> appended = new ArrayList<>();
        for (int i = 1; i <= 11; i++) {
            appended.add(rig.append(1, i, 60));
            rig.makeSegments();
        }
        // Nothing was synced: the disk kept the second segment's tail not, but the third segment.
        JournalRig.Entry lost = appended.get(6);
        flip(lost, 300);
        rig.openAndPrepare();
        assertThat(rig.gaps).isEmpty();
        assertThat(rig.found).isEqualTo(appended.subList(0, 6));
        JournalRig.Entry next = rig.append(1, 7, 1);
        rig.sync();
        rig.openAndPrepare();
        assertThat(rig.gaps).isEmpty();
        assertThat(rig.found).hasSize(7).endsWith(next);
    }

    @Test
    void aSegmentCutShortIsDamageAndGetsItsLengthBack() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        JournalRig.Entry hit = appended.get(2);
        String file = rig.fileOf(hit.position());
        byte[] bytes = rig.disk.bytes(file);
        rig.disk.put(file, Arrays.copyOf(bytes, (int) JournalRig.offsetOf(hit.position()) + 1000));
        rig.open();
        assertThat(rig.gaps).extracting(JournalGap::slot).containsExactly(hit.slot(), 0);
        assertThat(rig.gaps.get(1).to())
                .isEqualTo(appended.get(3).position() + appended.get(3).frame().limit());
        assertThat(rig.found).isEqualTo(without(without(appended, 3), 2));
        assertThat(rig.disk.bytes(file)).hasSize(JournalRig.SEGMENT_BYTES);
    }

    @Test
    void aPageThatCannotBeReadIsDamageOfItsRecordsOnly() throws IOException {
        List<JournalRig.Entry> appended = fill(6);
        String file = rig.fileOf(appended.get(3).position());
        rig.disk.unreadable.add(
                file + "@" + (JournalRig.offsetOf(appended.get(3).position()) + 4096) / 4096);
        rig.open();
        assertThat(rig.found).isEqualTo(without(appended, 3));
        assertThat(rig.gaps)
                .extracting(JournalGap::slot)
                .containsExactly(appended.get(3).slot());
    }

    @Test
    void aHeaderThatCannotBeReadIsALostOne() throws IOException {
        List<JournalRig.Entry> appended = fillSegments();
        rig.disk.unreadable.add(rig.fileOf(appended.get(0).position()) + "@0");
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aDiskThatReadsNextToNothingIsNotUsed() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        String file = rig.fileOf(appended.get(0).position());
        for (int page = 1; page <= 70; page++) {
            rig.disk.unreadable.add(file + "@" + page);
        }
        assertThatExceptionOfType(IOException.class).isThrownBy(rig::open);
    }

    @Test
    void emptyAndHeaderOnlyAndZeroFilesAreRoomForSegments() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        int index = rig.segmentFiles().size();
        rig.disk.put(SegmentFile.name(index), new byte[0]);
        rig.disk.put(SegmentFile.name(index + 1), new byte[SegmentHeader.BYTES]);
        rig.disk.put(SegmentFile.name(index + 2), new byte[JournalRig.SEGMENT_BYTES]);
        rig.disk.put("journal/README", new byte[10]);
        rig.disk.put("journal/segment-07", new byte[10]);
        rig.disk.put("journal/segment-9.new", new byte[10]);
        rig.openAndPrepare();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
        assertThat(rig.disk.exists("journal/segment-9.new")).isFalse();
        assertThat(rig.disk.exists("journal/README")).isTrue();
        for (int i = 4; i < 30; i++) {
            rig.append(1, i, 30);
            rig.sync();
            rig.journal().release(rig.journal().durablePosition());
            rig.worker.runAll();
        }
        rig.open();
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void garbageInsteadOfASegmentIsRoomForOne() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        byte[] garbage = new byte[JournalRig.SEGMENT_BYTES];
        new java.util.Random(7).nextBytes(garbage);
        rig.disk.put(SegmentFile.name(rig.segmentFiles().size()), garbage);
        rig.openAndPrepare();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void segmentsOfAnotherDiskOrPlaceAreRefused() throws IOException {
        fill(3);
        String used = rig.fileOf(rig.journal().appendedPosition());
        byte[] bytes = rig.disk.bytes(used);
        int free = rig.segmentFiles().size();
        rig.disk.put(SegmentFile.name(free), bytes);
        assertThatExceptionOfType(ForeignFileException.class).isThrownBy(rig::open);
        rig.disk.delete(SegmentFile.name(free));
        SegmentHeader header = rig.header(used);
        assertThat(header).isNotNull();
        rig.disk.poke(used, 0, header.encode(new UUID(8, 8)));
        assertThatExceptionOfType(ForeignFileException.class).isThrownBy(rig::open);
        rig.putHeader(used, header);
        rig.open();
        assertThat(rig.found).hasSize(3);
    }

    @Test
    void theSameSegmentTwiceIsRefused() throws IOException {
        fill(3);
        SegmentHeader header = rig.header(rig.fileOf(rig.journal().appendedPosition()));
        assertThat(header).isNotNull();
        int free = rig.segmentFiles().size();
        rig.disk.put(SegmentFile.name(free), new byte[JournalRig.SEGMENT_BYTES]);
        rig.putHeader(
                SegmentFile.name(free), new SegmentHeader(header.number(), free, JournalRig.SEGMENT_BYTES, 0, 0, 0, 0));
        assertThatExceptionOfType(DamagedFileException.class).isThrownBy(rig::open);
    }

    @Test
    void segmentsOfOtherVersionsAreRefusedByName() throws IOException {
        fill(3);
        String used = rig.fileOf(rig.journal().appendedPosition());
        byte[] good = rig.disk.bytes(used);
        reseal(used, good, 2);
        assertThatExceptionOfType(FileTooNewException.class).isThrownBy(rig::open);
        reseal(used, good, 0);
        assertThatExceptionOfType(FileTooOldException.class).isThrownBy(rig::open);
        reseal(used, good, 1);
        rig.open();
        assertThat(rig.found).hasSize(3);
    }

    private void reseal(String name, byte[] file, int version) {
        ByteBuffer b = ByteBuffer.wrap(file.clone()).order(ByteOrder.LITTLE_ENDIAN);
        b.putShort(FileHeader.VERSION_OFFSET, (short) version);
        b.putInt(FileHeader.HEADER_CRC_OFFSET, Checksum.of(b, 0, FileHeader.HEADER_CRC_OFFSET));
        rig.disk.put(name, b.array());
    }

    @Test
    void aJournalKeepsItsSegmentSize() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        rig.settings = JournalSettings.of(2 << 20, 6);
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        rig.worker.runAll();
        assertThat(rig.segmentFiles()).allMatch(name -> rig.disk.bytes(name).length == JournalRig.SEGMENT_BYTES);
    }

    @Test
    void startsThatDoNothingUseNothingUp() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        for (int i = 0; i < 40; i++) {
            rig.open();
            assertThat(rig.found).isEqualTo(appended);
        }
        assertThat(rig.segmentFiles()).hasSizeLessThanOrEqualTo(4);
        assertThat(rig.gaps).isEmpty();
    }

    /** Found by the simulator: a disk whose starts crashed sixteen times in a row never started again. */
    @Test
    void startsThatNeverFreeAnythingGoOnAsLongAsThereIsRoom() throws IOException {
        rig.openAndPrepare();
        for (int starts = 1; starts <= 30; starts++) {
            assertThat(rig.append(1, rig.discard(starts), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
            rig.openAndPrepare();
            assertThat(rig.found).hasSize(starts);
        }
        assertThat(rig.append(1, rig.discard(31), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
        long free = rig.disk.freePages;
        rig.disk.freePages = 2;
        assertThatExceptionOfType(DiskFullException.class)
                .isThrownBy(rig::open)
                .withMessageContaining(JournalRig.SEGMENT_BYTES + " bytes needed");
        rig.disk.freePages = free;
        rig.open();
        assertThat(rig.found).hasSize(31);
    }

    @Test
    void aJournalWithTooManyFilesShrinks() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 9; i++) {
            assertThat(rig.append(1, rig.discard(i), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
            rig.open();
        }
        assertThat(rig.segmentFiles()).hasSizeGreaterThan(6);
        rig.openAndPrepare();
        rig.journal().release(rig.journal().durablePosition());
        rig.worker.runAll();
        assertThat(rig.segmentFiles()).hasSize(6);
        JournalRig.Entry next = rig.append(1, 10, 1);
        rig.open();
        assertThat(rig.found).containsExactly(next);
        assertThat(rig.gaps).isEmpty();
    }

    @Test
    void aFullDiskStillStartsWithTheSegmentThatWasKept() throws IOException {
        rig.openAndPrepare();
        while (rig.append(1, rig.write(1, 1), new ArrayList<>()) == Journal.Appended.DONE) {
            rig.worker.runAll();
        }
        rig.sync();
        rig.disk.freePages = 0;
        rig.open();
        assertThat(rig.append(1, rig.discard(2), new ArrayList<>())).isEqualTo(Journal.Appended.DONE);
        assertThat(rig.segmentFiles()).hasSize(6);
    }

    @Test
    void journalsOfTwoDisksBeginAtOtherNumbers() {
        int one = JournalRecovery.firstNumber(new UUID(1, 1));
        int other = JournalRecovery.firstNumber(new UUID(1, 2));
        assertThat(one).isPositive().isNotEqualTo(other);
        assertThat(other).isPositive();
    }

    @Test
    void aJournalInsideABlockIsNotTakenForTheJournalAroundIt() throws IOException {
        List<JournalRig.Entry> appended = fill(3);
        // A torn record whose data are a frame of another disk's journal, at the same place in a segment.
        ByteBuffer inner = rig.discard(9);
        int otherNumber = JournalRecovery.firstNumber(new UUID(77, 78));
        RecordLayout.stamp(inner, 0, 1, (long) otherNumber * JournalRig.SEGMENT_BYTES + 4096, otherNumber);
        JournalRig.Entry torn = rig.append(1, 4, 1);
        String file = rig.fileOf(torn.position());
        rig.disk.poke(file, JournalRig.offsetOf(torn.position()) + 400, inner);
        flip(torn, 0);
        rig.open();
        assertThat(rig.found).isEqualTo(appended);
        assertThat(rig.gaps).isEmpty();
        assertThat(FrameLayout.BLOCK_BYTES).isGreaterThan(400 + inner.limit());
    }
}
