package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.ErrorCode;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What readers, restarts and failing disks see of records on their way into layers. */
class ReplicaCheckpointTest {
    private final ReplicaRig rig = new ReplicaRig();

    @BeforeEach
    void start() throws IOException {
        rig.start();
    }

    @Test
    void readersSeeTheSameAfterEachStepOfACheckpoint() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, ReplicaDiskTest.seeds(40, 1));
        engine.zeroes(0, 30);
        engine.write(5, 51, 52);
        engine.snapshot("one");
        engine.discard(10, 20);
        engine.write(12, 121);
        engine.snapshot("two");
        engine.write(7, 71);
        engine.commit();
        engine.flush();
        rig.disk().checkpointer().request(rig.replica());
        int steps = 0;
        while (rig.worker.runOne(DiskWorker.Lane.CHECKPOINT)) {
            while (rig.loop.turn()) {
                // Outcomes.
            }
            engine.assertContent();
            steps++;
        }
        assertThat(steps).isGreaterThan(4);
        assertThat(rig.replica().checkpointed()).isEqualTo(engine.sequence);
    }

    /** Found by the simulator: a rebuild reads a head that a revert has dropped meanwhile, and whose records will never go to a layer. */
    @Test
    void droppedHeadIsReadWithoutTheJournalThatLetGoOfIt() {
        ScriptedEngine engine = rig.engine(1).open();
        LayerId one = engine.snapshot("one");
        LayerId head = engine.model().headId;
        engine.settle();
        long before = rig.disk().journal().oldestPosition();
        engine.ask(new Message.Pin(7, LayerId.LIVE), Message.Done.class);
        engine.write(0, 1, 2, 3);
        engine.revert(one);
        engine.settle();
        for (int i = 1; rig.disk().journal().oldestPosition() == before; i++) {
            engine.write(100, ReplicaDiskTest.seeds(60, i));
            engine.settle();
        }

        long id = engine.ask(new Message.LayerRead(head, 0, 0, 400, List.of()));
        rig.run();

        assertThat(engine.failures).isEmpty();
        assertThat(LayerBlocksLayout.entryCount(engine.reads.get(id), 0)).isZero();
        engine.assertContent();
    }

    @Test
    void failedSyncOfALayerIsNotBelievedAfterTheNextStartEither() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.settle();
        engine.write(1, 21);
        engine.zeroes(2, 1);
        engine.commit();
        engine.flush();
        // The new entries are in the memory of the operating system, and never reach the disk.
        rig.memory.failingSync = ".map";
        rig.memory.failedSyncsForget = true;
        rig.quiet();
        assertThat(rig.disk().hasFailed()).isTrue();
        rig.memory.failingSync = "-none-";
        rig.start();
        ScriptedEngine again = engine.next(2).hello();
        again.fence();
        again.startEpoch().settle();
        assertThat(again.status().checkpointed()).isEqualTo(again.sequence);
        rig.memory.forgetUnsynced();
        rig.bootId = "boot-2";
        rig.start();
        ScriptedEngine last = again.next(3).hello();
        last.fence();
        last.assertContent();
    }

    @Test
    void failedSyncOfMetadataEndsTheDisksService() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.commit();
        engine.flush();
        rig.memory.failingSync = "replica.meta";
        rig.quiet();
        assertThat(rig.disk().hasFailed()).isTrue();
        assertThat(engine.refusal()).isEqualTo(ErrorCode.DISK_FAILED);
    }

    @Test
    void metadataThatFoundNoSpaceIsStoredWhenThereIsSome() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.settle();
        engine.write(1, 21);
        engine.commit();
        engine.flush();
        long free = rig.memory.freePages;
        // The blocks' places exist; the other copy of the map page needs one, the metadata another.
        rig.memory.freePages = 1;
        rig.quiet();
        assertThat(rig.disk().hasFailed()).isFalse();
        assertThat(rig.replica().keeper.stored().checkpointedSequence()).isEqualTo(2);
        rig.memory.freePages = free;
        rig.quiet();
        assertThat(rig.replica().keeper.stored().checkpointedSequence()).isEqualTo(3);
        engine.assertContent();
    }

    @Test
    void mapPageThatWasWrittenInPartIsWrittenAgain() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.write(300, 12);
        engine.settle();
        engine.write(1, 21);
        engine.commit();
        engine.flush();
        // A write that stops half-way because there is no space.
        rig.memory.failingWrite = ".map";
        long free = rig.memory.freePages;
        rig.memory.freePages = 5;
        rig.quiet();
        assertThat(rig.disk().hasFailed()).isFalse();
        engine.assertContent();
        rig.memory.failingWrite = "-none-";
        rig.memory.freePages = free;
        rig.quiet();
        assertThat(rig.replica().checkpointed()).isEqualTo(engine.sequence);
        engine.assertContent();
    }

    @Test
    void metadataThatAStartBelievesIsStable() throws IOException {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.commit();
        engine.flush();
        // The process dies between the renaming of the new metadata and the sync of its directory.
        rig.memory.failingSync = "directory";
        rig.quiet();
        rig.memory.failingSync = "-none-";
        rig.start();
        assertThat(rig.replica().checkpointed()).isEqualTo(2);
        rig.memory.forgetUnsynced();
        assertThat(ReplicaMeta.read(rig.memory, ReplicaRig.PLACE).checkpointedSequence())
                .isEqualTo(2);
    }

    @Test
    void repairThatIsNotDurableIsNotWaitedForInALoop() {
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(1, 11);
        engine.settle();
        engine.ask(new io.longhorn.replica.wire.Message.Repair(LayerId.ROOT, 1, 2, crc(11), VolumeModel.content(11)));
        rig.disk().checkpointer().request(rig.replica());
        int works = 0;
        while (works < 100 && rig.worker.runOne(DiskWorker.Lane.CHECKPOINT)) {
            works++;
        }
        assertThat(works).isLessThan(20);
    }

    static int crc(long seed) {
        return io.longhorn.replica.wire.Checksum.block(java.nio.ByteBuffer.wrap(VolumeModel.content(seed)), 0);
    }
}
