package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.ErrorCode;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerRig;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.ReadLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bits that a disk flips: what is told to whom, what goes on, and how it is repaired. */
class ReplicaDamageTest {
    private static final UUID OTHER = new UUID(0xABCDEF, 1);
    private static final String ROOT_FILES = ReplicaRig.PLACE + "/" + LayerFiles.baseName(LayerId.ROOT);
    private static final String OTHER_FILES = "replicas/vol-00000000/" + LayerFiles.baseName(LayerId.ROOT);

    private final ReplicaRig rig = new ReplicaRig();

    @BeforeEach
    void start() throws IOException {
        rig.settings = ReplicaRig.settings().scrubBytesPerSecond(1 << 20).build();
        rig.start();
    }

    private ScriptedEngine other() {
        ScriptedEngine other = rig.engine(1);
        other.replicaId = OTHER;
        return other;
    }

    private static Message.Repair repair(int block, long sequence, long seed) {
        return new Message.Repair(
                LayerId.ROOT, block, sequence, ReplicaCheckpointTest.crc(seed), VolumeModel.content(seed));
    }

    @Test
    void scrubTellsTheEngineOfAFlippedBitAndARepairEndsIt() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11, 12, 13);
        engine.settle();
        rig.memory.flip(ROOT_FILES + ".data", 4096 + 100, 4);
        rig.pass(48L * 3600 * ReplicaRig.SECOND);
        assertThat(engine.damage)
                .containsExactly(new Message.Damage(LayerId.ROOT, 1, 2, ReplicaCheckpointTest.crc(12)));
        assertThat(engine.status().damagedBlocks()).isEqualTo(1);
        engine.ask(repair(1, 2, 12), Message.Done.class);
        engine.assertContent();
        rig.quiet();
        assertThat(engine.status().damagedBlocks()).isZero();
        engine.assertContent();
    }

    @Test
    void repairOfABlockThatWasOverwrittenIsRefused() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11);
        engine.settle();
        engine.write(0, 21);
        engine.ask(repair(0, 2, 11));
        assertThat(engine.refusal()).isEqualTo(ErrorCode.CONDITION_FAILED);
        engine.assertContent();
    }

    @Test
    void repairWithOtherBytesThanTheChecksumVouchesForIsRefused() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11);
        engine.ask(new Message.Repair(LayerId.ROOT, 0, 2, ReplicaCheckpointTest.crc(11), VolumeModel.content(12)));
        assertThat(engine.refusal()).isEqualTo(ErrorCode.CONDITION_FAILED);
    }

    @Test
    void damagedMapIsAnsweredAsDamageAndRepairedBlockByBlock() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11, 12);
        engine.write(340, 13);
        engine.settle();
        engine.write(1, 22);
        engine.settle();
        damagePage(0);
        rig.start();
        ScriptedEngine next = engine.next(2).hello();
        next.fence();
        assertThat(next.read(LayerId.LIVE, 0, 0, 1)).isNull();
        assertThat(next.refusal()).isEqualTo(ErrorCode.DAMAGED_BLOCK);
        assertThat(next.seed(340)).isEqualTo(13);
        assertThat(next.status().damagedBlocks()).isPositive();
        next.ask(repair(0, 2, 11), Message.Done.class);
        next.ask(repair(1, 4, 22), Message.Done.class);
        assertThat(next.seed(0)).isEqualTo(11);
        rig.quiet();
        rig.memory.forgetUnsynced();
        rig.start();
        ScriptedEngine last = next.next(3).hello();
        last.fence();
        assertThat(last.seeds(LayerId.LIVE, 0, 2)).containsExactly(11, 22);
        assertThat(last.read(LayerId.LIVE, 0, 2, 1)).isNull();
        // A new version needs no repair.
        last.startEpoch();
        last.write(2, 31);
        last.settle();
        assertThat(last.seed(2)).isEqualTo(31);
    }

    /** Both copies of a page of the map. */
    private void damagePage(long page) {
        rig.memory.flip(ROOT_FILES + ".map", LayerRig.copyAt(page, 0) + 70, 1);
        rig.memory.flip(ROOT_FILES + ".map", LayerRig.copyAt(page, 1) + 70, 1);
    }

    @Test
    void damagedMetadataSetsOnlyItsReplicaAside() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11);
        engine.settle();
        ScriptedEngine other = other().open();
        other.write(0, 21);
        other.settle();
        rig.memory.flip(ReplicaRig.PLACE + "/replica.meta", 100, 1);
        rig.start();
        assertThat(rig.disk().hosts(ReplicaRig.REPLICA)).isFalse();
        assertThat(rig.memory.list(DiskRecovery.SET_ASIDE)).hasSize(1);
        ScriptedEngine next = other.next(2).hello();
        next.fence();
        next.assertContent();
        // Another one can be made in its place, and begins empty.
        ScriptedEngine anew = rig.engine(2).open();
        anew.assertContent();
        rig.start();
        assertThat(rig.disk().hosts(ReplicaRig.REPLICA)).isTrue();
    }

    @Test
    void damagedJournalMarksOnlyTheReplicaConcerned() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        ScriptedEngine other = other().open();
        engine.write(0, 11);
        other.write(0, 21);
        engine.write(1, 12);
        other.write(1, 22);
        engine.flush();
        engine.write(2, 13);
        other.write(2, 23);
        engine.flush();
        long position = rig.replica().records.position(3);
        int segment = 1 << 20;
        String file = rig.memory.list("journal").stream()
                .map(name -> "journal/" + name)
                .filter(name -> headerNumber(name) == position / segment)
                .findFirst()
                .orElseThrow();
        // In the block, so that the header still says whose it is.
        rig.memory.flip(file, position % segment + 1000, 1);
        rig.start();
        ScriptedEngine next = engine.next(2).hello();
        Message.FenceOk state = next.fence();
        assertThat(state.uncertain()).isTrue();
        assertThat(state.lastSequence()).isEqualTo(2);
        next.assertContent();
        ScriptedEngine second = other.next(2).hello();
        Message.FenceOk untouched = second.fence();
        assertThat(untouched.uncertain()).isFalse();
        assertThat(untouched.lastSequence()).isEqualTo(4);
        second.assertContent();
        // It stays so, whatever comes, until an engine has caught it up.
        rig.start();
        assertThat(rig.replica().isUncertain()).isTrue();
    }

    private long headerNumber(String name) {
        byte[] bytes = rig.memory.bytes(name);
        return java.nio.ByteBuffer.wrap(bytes)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .getInt(64);
    }

    @Test
    void snapshotThatWasRemovedIsReadOnlyUnderItsPin() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11, 12);
        LayerId one = engine.snapshot("one");
        engine.write(0, 21);
        engine.settle();
        engine.ask(new Message.Pin(7, one), Message.Done.class);
        engine.delete(one);
        engine.settle();
        rig.pass(10 * ReplicaRig.SECOND);
        assertThat(engine.read(one, 0, 0, 1)).isNull();
        assertThat(engine.refusal()).isEqualTo(ErrorCode.PIN_NOT_HELD);
        ByteBuffer held = engine.read(one, 7, 0, 1);
        assertThat(held).isNotNull();
        assertThat(VolumeModel.seedOf(held, ReadLayout.answerHeaderLength(1))).isEqualTo(11);
        engine.ask(new Message.Unpin(7), Message.Done.class);
        rig.pass(10 * ReplicaRig.SECOND);
        assertThat(engine.read(one, 7, 0, 1)).isNull();
        engine.assertContent();
    }

    @Test
    void noAckIsSentWhileARebuildBegins() throws IOException {
        ReplicaRig sourceRig = new ReplicaRig().start();
        ScriptedEngine source = sourceRig.engine(1);
        source.replicaId = OTHER;
        source.open();
        source.settle();
        ScriptedEngine target = rig.engine(1).open();
        target.write(0, 1);
        target.write(0, 2);
        Message.FenceOk state = target.next(2).hello().fence();
        ScriptedEngine newer = target.successor;
        assertThat(newer).isNotNull();
        int acks = newer.acks;
        rig.disk().journal().requestSync();
        newer.ask(new RebuildConversation(source, newer, state, 1, 5).plan());
        rig.worker.runOne(DiskWorker.Lane.JOURNAL_SYNC);
        assertThat(newer.acks).isEqualTo(acks);
    }

    @Test
    void replicaIsNotWholeBeforeItsRebuildEnded() throws IOException {
        ReplicaRig sourceRig = new ReplicaRig().start();
        ScriptedEngine source = sourceRig.engine(1);
        source.replicaId = OTHER;
        source.open();
        source.write(0, 11);
        source.settle();
        ScriptedEngine target = rig.engine(1).hello().create();
        Message.FenceOk state = target.fence();
        RebuildConversation rebuild = new RebuildConversation(source, target, state, 0, 5).begin();
        target.ask(new Message.Joined(5, 2));
        assertThat(target.refusal()).isEqualTo(ErrorCode.REPLICA_NOT_READY);
        assertThat(rig.replica().isMixed()).isTrue();
        rebuild.copy().end().join();
        assertThat(rig.replica().isMixed()).isFalse();
        target.assertContent();
    }

    @Test
    void blockThatTheDiskDoesNotGiveIsAnsweredWithBytesThatFailTheirCheck() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 11, 12, 13);
        engine.settle();
        rig.memory.unreadable.add(ROOT_FILES + ".data@1");
        ByteBuffer answer = engine.read(LayerId.LIVE, 0, 0, 3);
        assertThat(answer).isNotNull();
        assertThat(ReadLayout.firstMismatch(answer, 0, 0)).isEqualTo(1);
        assertThat(ReadLayout.blockCrc(answer, 0, 1)).isEqualTo(ReplicaCheckpointTest.crc(12));
        assertThat(ReadLayout.firstMismatch(answer, 0, 2)).isEqualTo(-1);
        assertThat(engine.seed(2)).isEqualTo(13);
        rig.memory.unreadable.clear();
        engine.assertContent();
    }

    @Test
    void whatTheSourceOfARebuildHasLostIsDamagedInItsTargetAndTheRestIsWhole() throws IOException {
        ReplicaRig sourceRig = new ReplicaRig().start();
        ScriptedEngine before = sourceRig.engine(1);
        before.replicaId = OTHER;
        before.open();
        before.write(0, 11, 12, 13);
        before.write(340, 14);
        before.settle();
        sourceRig.memory.flip(OTHER_FILES + ".map", LayerRig.copyAt(1, 0) + 70, 1);
        sourceRig.memory.flip(OTHER_FILES + ".map", LayerRig.copyAt(1, 1) + 70, 1);
        sourceRig.memory.unreadable.add(OTHER_FILES + ".data@1");
        sourceRig.start();
        ScriptedEngine source = before.next(2).hello();
        source.fence();
        source.startEpoch();

        ScriptedEngine target = rig.engine(2).hello().create();
        new RebuildConversation(source, target, target.fence(), 0, 5)
                .begin()
                .copy()
                .end()
                .join();

        assertThat(rig.replica().isMixed()).isFalse();
        assertThat(target.seed(0)).isEqualTo(11);
        assertThat(target.seed(2)).isEqualTo(13);
        ByteBuffer lost = target.read(LayerId.LIVE, 0, 1, 1);
        assertThat(lost).isNotNull();
        assertThat(ReadLayout.blockCrc(lost, 0, 0)).isEqualTo(ReplicaCheckpointTest.crc(12));
        assertThat(ReadLayout.firstMismatch(lost, 0, 0)).isZero();
        assertThat(target.read(LayerId.LIVE, 0, 340, 1)).isNull();
        assertThat(target.refusal()).isEqualTo(ErrorCode.DAMAGED_BLOCK);
        // A copy from elsewhere repairs it, and a new version needs no repair.
        target.ask(repair(1, 2, 12), Message.Done.class);
        assertThat(target.seed(1)).isEqualTo(12);
        target.write(340, 24);
        target.settle();
        assertThat(target.seed(340)).isEqualTo(24);
    }

    @Test
    void goodBlockOfATargetIsKeptWhenTheSourceHasLostIt() throws IOException {
        ScriptedEngine target = rig.engine(1).open();
        target.write(0, 11);
        target.settle();
        ReplicaRig sourceRig = new ReplicaRig().start();
        ScriptedEngine source = sourceRig.engine(1);
        source.replicaId = OTHER;
        source.open();
        source.write(0, 11);
        source.settle();
        sourceRig.memory.unreadable.add(OTHER_FILES + ".data@0");
        ScriptedEngine newer = target.next(2).hello();
        // As if nothing were known to be common: everything is copied.
        new RebuildConversation(source, newer, newer.fence(), 0, 5)
                .begin()
                .copy()
                .end()
                .join();
        assertThat(newer.seed(0)).isEqualTo(11);
    }

    /**
     * Found by the simulator: a checkpoint had written the map and died before its metadata; the operations were lost everywhere else, and the block kept its lost content since the
     * entry looked newer than the copy.
     */
    @Test
    void lostOperationsThatMetadataKnowNothingOfDoNotOutliveARebuild() throws IOException {
        rebuildAfterLostOperations("replica.meta");
    }

    /**
     * Found by the simulator: a checkpoint had written the block and died before its entry; the operations were lost everywhere else, and the block's bytes no longer were what its entry
     * of the common past said.
     */
    @Test
    void lostBytesThatTheMapKnowsNothingOfDoNotOutliveARebuild() throws IOException {
        rebuildAfterLostOperations(".data");
    }

    /** A block of the common past is written again and again, which is lost everywhere else; the checkpoint dies when it syncs that file, and a rebuild follows. */
    private void rebuildAfterLostOperations(String unsynced) throws IOException {
        ScriptedEngine target = rig.engine(1).open();
        target.write(1, 11);
        target.settle();
        ReplicaRig sourceRig = new ReplicaRig().start();
        ScriptedEngine source = sourceRig.engine(1);
        source.replicaId = OTHER;
        source.open();
        source.write(1, 11);
        source.settle();
        long common = source.sequence;
        source.write(2, 12);
        source.settle();
        target.write(1, 21);
        target.write(1, 22);
        target.write(1, 23);
        target.commit();
        target.flush();
        rig.memory.failingSync = unsynced;
        rig.quiet();
        assertThat(rig.disk().hasFailed()).isTrue();
        rig.memory.failingSync = "-none-";
        rig.start();
        assertThat(rig.replica().checkpointed()).isEqualTo(common);

        ScriptedEngine newer = target.next(2).hello();
        new RebuildConversation(source, newer, newer.fence(), common, 5)
                .begin()
                .copy()
                .end()
                .join();

        assertThat(newer.seed(1)).isEqualTo(11);
    }
}
