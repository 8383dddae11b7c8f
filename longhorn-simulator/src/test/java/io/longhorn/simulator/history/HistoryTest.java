package io.longhorn.simulator.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Hand-made histories that a right volume can have, and for each promise one that no right volume can have. */
class HistoryTest {
    private static final int CELLS = BlockContents.CELLS;

    private final History history = new History(8, 8);
    private final BlockContents contents = history.contents();

    private Operation write(int session, int block) {
        return history.write(session, block * CELLS, CELLS, false);
    }

    private Operation written(int session, int block) {
        Operation write = write(session, block);
        history.confirmed(write);
        return write;
    }

    private int full(Operation write) {
        return contents.written(BlockContents.ZERO, BlockContents.ALL_CELLS, History.writeId(write));
    }

    private void read(int session, int block, int content) {
        history.confirmedRead(history.read(session, block, 1), new int[] {content});
    }

    private void flush(int session) {
        history.confirmed(history.flush(session));
    }

    private void passes() {
        assertThat(history.check()).isZero();
    }

    private void fails(Violation.Kind kind) {
        assertThatThrownBy(history::check)
                .isInstanceOfSatisfying(
                        Violation.class, v -> assertThat(v.kind()).isEqualTo(kind));
    }

    @Test
    void readsSeeTheLastWrite() {
        Operation w = written(1, 0);
        read(1, 0, full(w));
        read(1, 1, BlockContents.ZERO);
        passes();
    }

    @Test
    void readOfAnOverwrittenValueFails() {
        Operation old = written(1, 0);
        written(1, 0);
        read(1, 0, full(old));
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void lostConfirmedWriteFails() {
        written(1, 0);
        read(1, 0, BlockContents.ZERO);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void readDuringAWriteMaySeeEither() {
        Operation a = written(1, 0);
        Operation read = history.read(1, 0, 1);
        Operation b = written(1, 0);
        history.confirmedRead(read, new int[] {full(a)});
        Operation again = history.read(1, 0, 1);
        Operation c = write(1, 0);
        history.confirmedRead(again, new int[] {full(c)});
        history.confirmed(c);
        assertThat(full(b)).isNotEqualTo(full(c));
        passes();
    }

    @Test
    void newValueThenOldValueFails() {
        Operation w = write(1, 0);
        read(1, 0, full(w));
        read(1, 0, BlockContents.ZERO);
        history.confirmed(w);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void failedWriteMayHaveHappenedOrNotButNotBoth() {
        Operation w = write(1, 0);
        history.failed(w);
        read(1, 0, BlockContents.ZERO);
        read(1, 0, full(w));
        read(1, 0, full(w));
        passes();
        read(1, 0, BlockContents.ZERO);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void failedWriteOfAnEarlierSessionCannotAppearLater() {
        Operation w = write(1, 0);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        read(2, 0, full(w));
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void failedWriteOfAnEarlierSessionMayHaveSurvived() {
        Operation w = write(1, 0);
        Operation other = write(1, 0);
        history.died(1);
        history.opened(2);
        read(2, 0, full(w));
        read(2, 0, full(w));
        assertThat(full(other)).isNotEqualTo(full(w));
        passes();
    }

    @Test
    void concurrentWritesHaveOneOrderForAllReaders() {
        Operation a = write(1, 0);
        Operation b = write(1, 0);
        history.confirmed(a);
        history.confirmed(b);
        read(1, 0, full(a));
        passes();
        read(1, 0, full(b));
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void mixOfTwoWritesInOneBlockFails() {
        Operation a = written(1, 0);
        Operation b = written(1, 0);
        read(1, 0, contents.written(full(a), 0x0F, History.writeId(b)));
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void partialWritesCombine() {
        Operation whole = written(1, 0);
        Operation part = history.write(1, 2, 3, false);
        history.confirmed(part);
        int both = contents.written(full(whole), 0b11100, History.writeId(part));
        read(1, 0, both);
        Operation zero = history.zero(1, 0, 3, false);
        history.confirmed(zero);
        read(1, 0, contents.written(both, 0b111, 0));
        passes();
    }

    @Test
    void lostPartialWriteFails() {
        Operation part = history.write(1, 2, 3, false);
        history.confirmed(part);
        Operation other = history.write(1, 5, 1, false);
        history.confirmed(other);
        read(1, 0, contents.written(BlockContents.ZERO, 0b100000, History.writeId(other)));
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void writeAcrossBlocksCoversTheRightCells() {
        Operation w = history.write(1, 6, 12, false);
        history.confirmed(w);
        int id = History.writeId(w);
        history.confirmedRead(history.read(1, 0, 3), new int[] {
            contents.written(0, 0b11000000, id), contents.written(0, 0xFF, id), contents.written(0, 0b11, id)
        });
        passes();
    }

    @Test
    void bytesNobodyWroteFailAtOnce() {
        Operation read = history.read(1, 0, 1);
        assertThatThrownBy(() -> history.confirmedRead(read, new int[] {-1}))
                .isInstanceOfSatisfying(
                        Violation.class, v -> assertThat(v.kind()).isEqualTo(Violation.Kind.NO_FLIPPED_BIT));
    }

    @Test
    void confirmationInvokedAfterANewerSessionOpenedFails() {
        Operation before = write(1, 0);
        history.opened(2);
        history.confirmed(before);
        Operation after = write(1, 0);
        assertThatThrownBy(() -> history.confirmed(after))
                .isInstanceOfSatisfying(
                        Violation.class, v -> assertThat(v.kind()).isEqualTo(Violation.Kind.FENCED));
        Operation read = history.read(1, 0, 1);
        assertThatThrownBy(() -> history.confirmedRead(read, new int[] {0})).isInstanceOf(Violation.class);
    }

    @Test
    void unflushedWriteMayBeLostWhenAllReplicasLosePower() {
        history.view(0b111);
        history.opened(1);
        Operation kept = written(1, 0);
        flush(1);
        written(1, 0);
        history.lost(0);
        history.lost(1);
        history.lost(2);
        history.died(1);
        history.opened(2);
        read(2, 0, full(kept));
        read(2, 0, full(kept));
        passes();
    }

    @Test
    void confirmationThatArrivesAfterTheLossPromisesNoMore() {
        history.view(0b1);
        history.opened(1);
        Operation kept = written(1, 0);
        flush(1);
        Operation late = write(1, 0);
        history.lost(0);
        history.confirmed(late);
        history.died(1);
        history.opened(2);
        read(2, 0, full(kept));
        passes();
    }

    @Test
    void lossCanLeadBackToEitherOutcomeOfAFailedWrite() {
        for (boolean survived : new boolean[] {false, true}) {
            History h = new History(1, 1);
            h.view(0b1);
            h.opened(1);
            Operation failed = h.write(1, 0, CELLS, false);
            h.failed(failed);
            h.opened(2);
            h.confirmed(h.flush(2));
            Operation part = h.write(2, 0, 4, false);
            h.confirmed(part);
            h.confirmed(h.write(2, 0, CELLS, false));
            h.lost(0);
            h.died(2);
            h.opened(3);
            int before = h.contents().written(0, survived ? 0xFF : 0, History.writeId(failed));
            int seen = h.contents().written(before, 0x0F, History.writeId(part));
            h.confirmedRead(h.read(3, 0, 1), new int[] {seen});
            assertThat(h.check()).isZero();
        }
    }

    @Test
    void lossShowsWhenTheSessionThatStillReadFromItsMemoryIsOver() {
        history.view(0b1);
        history.opened(1);
        Operation kept = written(1, 0);
        flush(1);
        Operation lost = written(1, 0);
        history.lost(0);
        read(1, 0, full(lost));
        history.died(1);
        history.opened(2);
        read(2, 0, full(kept));
        passes();
    }

    @Test
    void sessionThatWentOnWritingAfterALossHasLostNothing() {
        history.view(0b1);
        history.opened(1);
        Operation kept = written(1, 0);
        flush(1);
        Operation lost = written(1, 0);
        history.lost(0);
        read(1, 0, full(lost));
        written(1, 1);
        history.died(1);
        history.opened(2);
        read(2, 0, full(kept));
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void writeBegunAfterTheLossSurvives() {
        history.view(0b1);
        history.opened(1);
        history.lost(0);
        written(1, 0);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void unflushedWriteSurvivesIfOneReplicaKeepsPower() {
        history.view(0b111);
        history.opened(1);
        written(1, 0);
        history.lost(0);
        history.lost(1);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void flushedWriteSurvivesPowerLossOfAll() {
        history.view(0b111);
        history.opened(1);
        written(1, 0);
        flush(1);
        for (int replica = 0; replica < 3; replica++) {
            history.lost(replica);
        }
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void forcedWriteSurvivesPowerLossOfAll() {
        history.view(0b1);
        history.opened(1);
        history.confirmed(history.write(1, 0, CELLS, true));
        history.lost(0);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void snapshotMakesWhatItHoldsDurable() {
        history.view(0b1);
        history.opened(1);
        written(1, 0);
        history.confirmed(history.snapshot(1));
        history.lost(0);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void lossLeavesNoMixWithinABlock() {
        history.view(0b1);
        history.opened(1);
        Operation a = written(1, 0);
        Operation b = written(1, 0);
        history.lost(0);
        history.died(1);
        history.opened(2);
        read(2, 0, contents.written(full(a), 0x0F, History.writeId(b)));
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void replicasThatLeftAndCameBackDoNotCountAsLost() {
        history.view(0b11);
        history.opened(1);
        written(1, 0);
        history.lost(0);
        history.view(0b10);
        history.view(0b11);
        history.lost(1);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void shrinkingTheViewToAReplicaThatLostPowerMayLoseWrites() {
        history.view(0b11);
        history.opened(1);
        written(1, 0);
        history.lost(0);
        history.view(0b01);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        passes();
    }

    @Test
    void sessionThatLostConfirmedWritesMayNotFlush() {
        history.view(0b1);
        history.opened(1);
        written(1, 0);
        history.lost(0);
        flush(1);
        passes();
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void sessionThatLostConfirmedWritesMayNotGoOn() {
        history.view(0b1);
        history.opened(1);
        written(1, 0);
        history.lost(0);
        read(1, 0, BlockContents.ZERO);
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void lostWriteDoesNotComeBack() {
        history.view(0b1);
        history.opened(1);
        Operation w = written(1, 0);
        history.lost(0);
        history.died(1);
        history.opened(2);
        read(2, 0, BlockContents.ZERO);
        read(2, 0, full(w));
        fails(Violation.Kind.FLUSHED_SURVIVES);
    }

    @Test
    void snapshotKeepsItsContentAndRevertBringsItBack() {
        Operation a = written(1, 0);
        Operation snapshot = history.snapshot(1);
        history.confirmed(snapshot);
        Operation b = written(1, 0);
        int index = History.snapshotIndex(snapshot);
        history.confirmedRead(history.snapshotRead(1, index, 0, 1), new int[] {full(a)});
        read(1, 0, full(b));
        history.confirmed(history.revert(1, index));
        read(1, 0, full(a));
        passes();
    }

    @Test
    void changedSnapshotFails() {
        Operation snapshot = history.snapshot(1);
        history.confirmed(snapshot);
        Operation w = written(1, 0);
        history.confirmedRead(history.snapshotRead(1, History.snapshotIndex(snapshot), 0, 1), new int[] {full(w)});
        fails(Violation.Kind.SNAPSHOT_IMMUTABLE);
    }

    @Test
    void readOfADeletedSnapshotFails() {
        Operation snapshot = history.snapshot(1);
        history.confirmed(snapshot);
        history.confirmed(history.snapshotDelete(1, History.snapshotIndex(snapshot)));
        history.confirmedRead(history.snapshotRead(1, History.snapshotIndex(snapshot), 0, 1), new int[] {0});
        fails(Violation.Kind.SNAPSHOT_IMMUTABLE);
    }

    @Test
    void listShowsWhatWasMadeAndNotWhatWasDeleted() {
        Operation first = history.snapshot(1);
        history.confirmed(first);
        Operation second = history.snapshot(1);
        history.failed(second);
        history.confirmedList(history.snapshotList(1), 0b01);
        history.confirmedList(history.snapshotList(1), 0b11);
        history.confirmed(history.snapshotDelete(1, 0));
        history.confirmedList(history.snapshotList(1), 0b10);
        passes();
        history.confirmedList(history.snapshotList(1), 0b11);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void sizeGrowsAndNeverShrinks() {
        History growing = new History(8, 4);
        growing.confirmedSize(growing.size(1), 4);
        Operation expand = growing.expand(1, 8);
        growing.confirmed(expand);
        growing.confirmedSize(growing.size(1), 8);
        assertThat(growing.check()).isZero();
        growing.confirmedSize(growing.size(1), 4);
        assertThatThrownBy(growing::check).isInstanceOf(Violation.class);
    }

    @Test
    void snapshotThatHoldsALaterButNotAnEarlierWriteFails() {
        Operation snapshot = history.snapshot(1);
        written(1, 0);
        Operation later = written(1, 1);
        history.confirmed(snapshot);
        history.confirmedRead(
                history.snapshotRead(1, History.snapshotIndex(snapshot), 0, 2), new int[] {0, full(later)});
        fails(Violation.Kind.SNAPSHOT_IMMUTABLE);
    }

    @Test
    void comparisonTellsTheTruth() {
        Operation w = written(1, 0);
        Operation right = history.compareAndWrite(1, 0, CELLS, new int[] {full(w)}, false);
        history.compared(right, true);
        read(1, 0, full(right));
        Operation wrong = history.compareAndWrite(1, 0, CELLS, new int[] {full(w)}, false);
        history.compared(wrong, false);
        passes();
        Operation liar = history.compareAndWrite(1, 0, CELLS, new int[] {full(w)}, false);
        history.compared(liar, true);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void comparisonThatDeniesEqualityFails() {
        Operation w = written(1, 0);
        history.compared(history.compareAndWrite(1, 0, CELLS, new int[] {full(w)}, false), false);
        fails(Violation.Kind.LINEARIZABLE);
    }

    @Test
    void failedWriteThatNobodyReadMayExplainAMismatch() {
        Operation w = written(1, 0);
        Operation unknown = write(1, 0);
        history.died(1);
        history.opened(2);
        history.compared(history.compareAndWrite(2, 0, CELLS, new int[] {full(w)}, false), false);
        written(2, 0);
        assertThat(full(unknown)).isNotEqualTo(full(w));
        passes();
    }

    @Test
    void revertThatMissesABlockFails() {
        Operation snapshot = history.snapshot(1);
        history.confirmed(snapshot);
        Operation w = written(1, 0);
        history.confirmed(history.revert(1, History.snapshotIndex(snapshot)));
        read(1, 0, full(w));
        fails(Violation.Kind.LINEARIZABLE);
    }

    /** Random histories of a volume that does everything right, operations overlapping, with losses: none may be refused. */
    @Test
    void rightVolumesAreNeverRefused() {
        for (int seed = 0; seed < 300; seed++) {
            new RightVolume(new Random(seed)).run();
        }
    }

    /** The same with one wrong answer each: most must be refused, none by mistake for the reason above. */
    @Test
    void wrongAnswersAreRefused() {
        int refused = 0;
        for (int seed = 0; seed < 300; seed++) {
            RightVolume volume = new RightVolume(new Random(seed));
            volume.liesAt = 40;
            try {
                volume.run();
            } catch (Violation expected) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(250);
    }
}
