package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.ErrorCode;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Handshake, fencing, records, acknowledgements and reads of one replica, over a scripted engine's connection. */
class ReplicaDiskTest {
    private final ReplicaRig rig = new ReplicaRig();

    @BeforeEach
    void start() throws IOException {
        rig.start();
    }

    // ------------------------------------------------------------------ fencing

    @Test
    void newReplicaIsEmpty() {
        ScriptedEngine engine = rig.engine(1).hello().create();
        Message.FenceOk state = engine.fence();
        assertThat(state.lastSequence()).isZero();
        assertThat(state.durable()).isZero();
        assertThat(state.promisedEpoch()).isEqualTo(1);
        assertThat(state.uncertain()).isFalse();
        assertThat(state.mixed()).isFalse();
        assertThat(state.quietMillis()).isEqualTo(-1);
        assertThat(state.creditBytes()).isPositive();
        assertThat(engine.seeds(LayerId.LIVE, 0, ReplicaRig.BLOCKS)).containsOnly(0);
    }

    @Test
    void olderEpochIsRefused() {
        rig.engine(5).open();
        ScriptedEngine older = rig.engine(4).hello();
        older.ask(older.fencing());
        assertThat(older.refusal()).isEqualTo(ErrorCode.FENCED);
        assertThat(older.failures.get(0).first()).isEqualTo(5);
    }

    @Test
    void promiseSurvivesARestart() throws IOException {
        rig.engine(5).open();
        rig.memory.forgetUnsynced();
        rig.start();
        ScriptedEngine older = rig.engine(4).hello();
        older.ask(older.fencing());
        assertThat(older.refusal()).isEqualTo(ErrorCode.FENCED);
    }

    @Test
    void sameEpochOfAnotherEngineIsRefused() {
        rig.engine(5).open();
        ScriptedEngine other = rig.engine(5).hello();
        other.ask(new Message.Fence(5, new UUID(9, 9), ReplicaRig.CLUSTER, ReplicaRig.VOLUME, ReplicaRig.REPLICA, 5));
        assertThat(other.refusal()).isEqualTo(ErrorCode.FENCED);
    }

    @Test
    void olderRecordVersionIsRefused() {
        rig.engine(5).open();
        ScriptedEngine newer = rig.engine(6).hello();
        newer.recordVersion = 4;
        newer.ask(newer.fencing());
        assertThat(newer.refusal()).isEqualTo(ErrorCode.FENCED);
    }

    @Test
    void anotherClusterIsRefused() {
        rig.engine(1).open();
        ScriptedEngine stranger = rig.engine(2);
        stranger.clusterId = new UUID(8, 8);
        stranger.ask(io.longhorn.replica.wire.ProtocolVersion.hello(stranger.engineId, stranger.clusterId, ""));
        assertThat(stranger.refusal()).isEqualTo(ErrorCode.WRONG_CLUSTER);
    }

    @Test
    void anotherVolumeIsRefused() {
        rig.engine(1).open();
        ScriptedEngine confused = rig.engine(2).hello();
        confused.volumeId = new UUID(8, 8);
        confused.ask(confused.fencing());
        assertThat(confused.refusal()).isEqualTo(ErrorCode.REPLICA_MISMATCH);
    }

    @Test
    void newerEngineTakesOver() {
        ScriptedEngine first = rig.engine(1).open();
        first.write(3, 33);
        ScriptedEngine second = first.next(2).hello();
        Message.FenceOk state = second.fence();
        assertThat(state.lastSequence()).isEqualTo(2);
        assertThat(first.refusal()).isEqualTo(ErrorCode.FENCED);
        first.write(4, 44);
        assertThat(second.status().lastSequence()).isEqualTo(2);
        second.startEpoch().assertContent();
    }

    @Test
    void nothingIsSaidBeforeThePromiseIsDurable() {
        ScriptedEngine engine = rig.engine(1).hello().create();
        long id = engine.ask(engine.fencing());
        assertThat(engine.answers).doesNotContainKey(id);
        rig.run();
        assertThat(engine.answers.get(id)).isInstanceOf(Message.FenceOk.class);
    }

    @Test
    void promiseThatCannotBeStoredIsNotGiven() {
        ScriptedEngine engine = rig.engine(1).hello().create();
        rig.memory.failingSync = "replica.meta";
        engine.ask(engine.fencing());
        rig.run();
        assertThat(engine.refusal()).isEqualTo(ErrorCode.DISK_FAILED);
    }

    // ------------------------------------------------------------------ records

    @Test
    void whatIsWrittenIsRead() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(3, 31, 32, 33);
        engine.write(4, 42);
        engine.zeroes(5, 1);
        engine.write(10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        engine.discard(11, 10);
        engine.write(330, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        engine.assertContent();
        engine.settle();
        assertThat(engine.status().checkpointed()).isEqualTo(engine.sequence);
        engine.assertContent();
    }

    @Test
    void gapInTheSequencesIsRefusedAndNothingOfItKept() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.deliver(engine.encode(new VolumeModel.Write(2, 22), 0, 1, 4));
        assertThat(engine.refusal()).isEqualTo(ErrorCode.SEQUENCE_GAP);
        assertThat(engine.failures.get(0).first()).isEqualTo(3);
        assertThat(engine.failures.get(0).second()).isEqualTo(4);
        ScriptedEngine again = engine.next(2).hello();
        assertThat(again.fence().lastSequence()).isEqualTo(2);
        assertThat(again.seed(2)).isZero();
    }

    @Test
    void damagedRecordIsRefusedAndWhatCameBeforeKept() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        FrameBuffer frame = engine.encode(new VolumeModel.Write(2, 22), 0, 1, 3);
        frame.bytes().put(frame.length() - 1, (byte) (frame.bytes().get(frame.length() - 1) ^ 1));
        engine.deliver(frame);
        assertThat(engine.refusal()).isEqualTo(ErrorCode.CHECKSUM_REFUSED);
        ScriptedEngine again = engine.next(2).hello();
        assertThat(again.fence().lastSequence()).isEqualTo(2);
        assertThat(again.seed(1)).isEqualTo(11);
    }

    @Test
    void recordOfANewerEpochThanPromisedIsRefused() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.deliver(engine.encode(new VolumeModel.Write(2, 22), 0, 2, 2));
        assertThat(engine.refusal()).isEqualTo(ErrorCode.SEQUENCE_GAP);
    }

    @Test
    void recordBeyondTheVolumeIsRefused() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(ReplicaRig.BLOCKS - 1, 1, 2);
        assertThat(engine.refusal()).isEqualTo(ErrorCode.RANGE_REFUSED);
    }

    @Test
    void readBeyondTheVolumeIsRefused() {
        ScriptedEngine engine = rig.engine(1).open();
        assertThat(engine.read(LayerId.LIVE, 0, ReplicaRig.BLOCKS - 1, 2)).isNull();
        assertThat(engine.refusal()).isEqualTo(ErrorCode.RANGE_REFUSED);
    }

    // ------------------------------------------------------------------ acknowledgements

    @Test
    void journaledAtOnceAndDurableAfterTheSync() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        assertThat(engine.journaled).isEqualTo(2);
        assertThat(engine.durable).isZero();
        engine.flush();
        assertThat(engine.durable).isEqualTo(2);
    }

    @Test
    void forcedRecordIsSyncedUnasked() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.sequence++;
        engine.deliver(engine.encode(new VolumeModel.Write(1, 11), FrameLayout.FLAG_FORCED, 1, 2));
        rig.run();
        assertThat(engine.durable).isEqualTo(2);
    }

    @Test
    void whatASyncDoesNotCoverIsNotDurable() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        rig.disk().journal().requestSync();
        engine.write(2, 22);
        rig.worker.runOne(DiskWorker.Lane.JOURNAL_SYNC);
        assertThat(engine.durable).isEqualTo(2);
    }

    @Test
    void failedSyncEndsTheDisksService() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        rig.memory.failingSync = "journal/segment";
        engine.flush();
        assertThat(engine.durable).isZero();
        assertThat(engine.refusal()).isEqualTo(ErrorCode.DISK_FAILED);
        rig.memory.failingSync = "-none-";
        ScriptedEngine again = engine.next(2).hello();
        again.ask(again.fencing());
        assertThat(again.refusal()).isEqualTo(ErrorCode.DISK_FAILED);
    }

    @Test
    void creditGrowsOnlyByWhatBlockRecordsUsed() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.settle();
        long before = engine.creditBytes;
        for (int i = 0; i < 60_000; i++) {
            engine.discard(i % 300, 1);
            if (i % 4000 == 0) {
                engine.settle();
            }
        }
        engine.settle();
        // They needed no credit, so they earn none; the engine would send more than the journal has room for.
        assertThat(engine.creditBytes).isLessThan(rig.disk().journal().capacityBytes() + before);
    }

    @Test
    void creditCoversExactlyWhatTheJournalSurelyTakes() {
        ScriptedEngine engine = rig.engine(1).open();
        // Nothing is confirmed, so nothing leaves the journal; the engine keeps to its credit.
        long used = 0;
        int records = 0;
        // It comes slower and slower, and then not at all.
        for (int idle = 0; idle < 10; ) {
            if (used + 64 * 4096 + 336 > engine.creditBytes) {
                idle++;
                rig.pass(ReplicaRig.SECOND);
                continue;
            }
            idle = 0;
            FrameBuffer frame = engine.encode(new VolumeModel.Write(64 * (records % 6), seeds(64, ++records)));
            used += frame.length();
            engine.deliver(frame);
            rig.run();
            assertThat(engine.failures).isEmpty();
        }
        assertThat(records).isGreaterThan(2);
        assertThat(rig.disk().journal().freeBytes()).isLessThan(2L * SpaceCredit.WINDOW_BYTES_MIN);
        assertThat(engine.diskFull).isFalse();
        // What brings no blocks still goes through, and when all is confirmed there is credit again.
        engine.snapshot("full");
        assertThat(engine.failures).isEmpty();
        engine.settle();
        assertThat(engine.creditBytes - used).isGreaterThan(SpaceCredit.WINDOW_BYTES_MIN);
        engine.assertContent();
    }

    static long[] seeds(int count, long salt) {
        long[] seeds = new long[count];
        for (int i = 0; i < count; i++) {
            seeds[i] = salt * 1000 + i + 1;
        }
        return seeds;
    }

    // ------------------------------------------------------------------ what moves to layers

    @Test
    void onlyWhatIsCommittedGoesToLayers() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.commit();
        engine.write(2, 22);
        engine.flush();
        rig.quiet();
        assertThat(engine.status().checkpointed()).isEqualTo(2);
    }

    @Test
    void onlyWhatIsDurableGoesToLayers() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.commit();
        rig.disk().checkpointer().request(rig.replica());
        rig.worker.runOne(DiskWorker.Lane.CHECKPOINT);
        assertThat(rig.replica().checkpointed()).isZero();
    }

    @Test
    void restartAfterCleanStopHasEverything() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11, 12);
        engine.snapshot("one");
        engine.write(1, 21);
        engine.commit();
        boolean[] stopped = new boolean[1];
        rig.disk().stop(() -> stopped[0] = true);
        rig.run();
        assertThat(stopped[0]).isTrue();
        rig.memory.forgetUnsynced();
        rig.bootId = "boot-2";
        rig.start();
        ScriptedEngine again = engine.next(2).hello();
        Message.FenceOk state = again.fence();
        assertThat(state.lastSequence()).isEqualTo(4);
        assertThat(state.uncertain()).isFalse();
        again.assertContent();
    }

    @Test
    void replicaIsUncertainAfterALossOfPowerUntilAnEngineConfirmsWhatItHas() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.flush();
        engine.write(2, 22);
        rig.memory.forgetUnsynced();
        rig.bootId = "boot-2";
        rig.start();
        ScriptedEngine again = engine.next(2).hello();
        Message.FenceOk state = again.fence();
        assertThat(state.uncertain()).isTrue();
        assertThat(state.lastSequence()).isEqualTo(2);
        again.startEpoch().commit();
        rig.run();
        assertThat(rig.replica().isUncertain()).isFalse();
    }

    @Test
    void restartOnTheSameBootIsNotUncertain() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        rig.start();
        Message.FenceOk state = engine.next(2).hello().fence();
        assertThat(state.uncertain()).isFalse();
        assertThat(state.lastSequence()).isEqualTo(2);
    }

    @Test
    void replicasOfOneVolumeWithLikeIdsHaveDirectoriesOfTheirOwn() {
        ScriptedEngine one = rig.engine(1).open();
        one.write(1, 11);
        one.settle();
        ScriptedEngine two = rig.engine(1);
        two.replicaId = new UUID(ReplicaRig.REPLICA.getMostSignificantBits(), 0x1234);
        two.open();
        two.write(1, 22);
        two.settle();
        assertThat(one.seed(1)).isEqualTo(11);
        assertThat(two.seed(1)).isEqualTo(22);
    }
}
