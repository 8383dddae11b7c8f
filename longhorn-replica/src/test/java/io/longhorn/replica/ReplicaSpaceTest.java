package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A disk that runs full, and volumes with many snapshots. */
class ReplicaSpaceTest {
    private static final int RESERVE_PAGES = 512;

    private final ReplicaRig rig = new ReplicaRig();

    /** Keeps to its credit, as an engine does. */
    private static final class Writer {
        final ScriptedEngine engine;
        long used;
        int writes;

        Writer(ScriptedEngine engine) {
            this.engine = engine;
        }

        /** False if there is no credit. */
        boolean write(int block) {
            if (used + 4096 + 88 > engine.creditBytes) {
                return false;
            }
            FrameBuffer frame = engine.encode(new VolumeModel.Write(block, ++writes));
            used += frame.length();
            engine.deliver(frame);
            return true;
        }
    }

    @Test
    void fullDiskRefusesOnlyCreditAndIsEmptiedByDeletingSnapshots() throws IOException {
        rig.settings = ReplicaRig.settings()
                .reserveBytes(RESERVE_PAGES * 4096L)
                .checkpointBytes(512 << 10)
                .build();
        rig.start();
        ScriptedEngine engine = rig.engine(1);
        engine.blocks = 100_000;
        engine.open();
        engine.settle();
        rig.memory.freePages = 6 * RESERVE_PAGES;
        rig.pass(ReplicaRig.SECOND);
        Writer writer = new Writer(engine);
        LayerId[] snapshots = new LayerId[4];
        // Each block in a map page of its own: that takes most space.
        int next = 0;
        boolean full = false;
        for (int i = 0; !full && i < 10_000; i++) {
            if (!writer.write(next * 347 % 100_000)) {
                engine.settle();
                full = !writer.write(next * 347 % 100_000);
            }
            next++;
            if (next % 150 == 0 && next / 150 <= snapshots.length) {
                snapshots[next / 150 - 1] = engine.snapshot("s" + next);
            }
        }
        assertThat(full).isTrue();
        assertThat(next).isGreaterThan(600);
        assertThat(engine.failures).isEmpty();
        assertThat(engine.diskFull).isTrue();
        assertThat(rig.disk().hasFailed()).isFalse();
        assertThat(rig.replica().checkpointed()).isEqualTo(engine.sequence);
        assertThat(rig.memory.freePages).isGreaterThan(0);
        // All of it is overwritten by zeroes, which take no credit, so each snapshot's blocks are nobody's when it
        // goes.
        for (int block = 0; block < 100_000; block += 8192) {
            engine.zeroes(block, Math.min(8192, 100_000 - block));
            engine.settle();
        }
        assertThat(rig.disk().hasFailed()).isFalse();
        for (LayerId snapshot : snapshots) {
            engine.delete(snapshot);
        }
        engine.settle();
        rig.pass(60 * ReplicaRig.SECOND);
        assertThat(engine.failures).isEmpty();
        assertThat(engine.diskFull).isFalse();
        assertThat(engine.creditBytes - writer.used).isGreaterThanOrEqualTo(SpaceCredit.WINDOW_BYTES_MIN);
        assertThat(writer.write(5)).isTrue();
        assertThat(engine.seed(5)).isEqualTo(writer.writes);
    }

    /** Found by the simulator: nothing went on when there was room again, since the journal tried to grow only when it got something. */
    @Test
    void journalThatHadNoRoomGrowsWhenThereIsSome() throws IOException {
        rig.start();
        Writer writer = new Writer(rig.engine(1).open());
        rig.pass(ReplicaRig.SECOND);
        while (writer.used < 1 << 20 && writer.write(0)) {
            rig.run();
        }
        // Nothing is confirmed, so nothing leaves the journal.
        rig.memory.freePages = 250;
        // Credit comes slower and slower, and then not at all.
        for (int before = -1; before < writer.writes; ) {
            before = writer.writes;
            while (writer.write(0)) {
                rig.run();
            }
            rig.pass(10 * ReplicaRig.SECOND);
        }
        assertThat(writer.engine.diskFull).isTrue();
        assertThat(writer.write(0)).isFalse();

        rig.memory.freePages = 100_000;
        rig.pass(10 * ReplicaRig.SECOND);

        assertThat(writer.engine.diskFull).isFalse();
        assertThat(writer.write(0)).isTrue();
        assertThat(rig.disk().hasFailed()).isFalse();
    }

    @Test
    void aCheckpointThatFoundNoRoomJustBeforeThereWasSomeIsTriedAgain() throws IOException {
        rig.settings =
                ReplicaRig.settings().checkpointQuiet(Duration.ofSeconds(2)).build();
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        rig.memory.failingWrite = ".data";
        engine.write(0, 1, 2, 3);
        engine.commit();
        rig.pass(3 * ReplicaRig.SECOND);
        assertThat(engine.status().checkpointed()).isZero();
        rig.memory.failingWrite = "-none-";

        engine.settle();

        assertThat(rig.disk().hasFailed()).isFalse();
        assertThat(engine.status().checkpointed()).isEqualTo(engine.sequence);
        engine.assertContent();
    }

    @Test
    void aDiskThatCannotBeWrittenAlthoughItHasRoomFails() throws IOException {
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        rig.memory.failingWrite = ".data";
        engine.write(0, 1, 2, 3);
        engine.commit();

        rig.pass(5 * ReplicaRig.SECOND);

        assertThat(rig.disk().hasFailed()).isTrue();
    }

    @Test
    void twoHundredFiftySnapshotsAreReadAsFastAsOne() throws IOException {
        rig.settings = ReplicaRig.settings().resolvedCacheBytes(1 << 20).build();
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        LayerId[] ids = new LayerId[250];
        for (int i = 0; i < ids.length; i++) {
            engine.write(i, i + 1000, i + 2000);
            ids[i] = engine.snapshot("s" + i);
            if (i % 20 == 0) {
                engine.settle();
            }
        }
        engine.write(399, 7);
        engine.settle();
        engine.assertContent();
        engine.seeds(LayerId.LIVE, 0, 400);
        long before = rig.memory.bytesRead;
        engine.seeds(LayerId.LIVE, 0, 64);
        assertThat(rig.memory.bytesRead - before)
                .as("nothing but the blocks is read")
                .isEqualTo(64 * 4096);

        Message.StatusOk status = engine.status();
        assertThat(status.layers()).hasSize(251);
        assertThat(status.layers())
                .filteredOn(layer -> layer.frozenSequence() != 0)
                .allMatch(layer -> layer.dataBytes() == 2 * 4096);
        assertThat(status.allocatedBytes()).isGreaterThanOrEqualTo(501 * 4096L);

        for (int i = 100; i < 200; i++) {
            engine.delete(ids[i]);
        }
        engine.settle();
        rig.pass(60 * ReplicaRig.SECOND);
        engine.assertContent();
        assertThat(engine.status().layers().size()).isLessThanOrEqualTo(151 + SnapshotRemoval.RESIDUAL_LAYERS_MAX);
        rig.start();
        ScriptedEngine next = engine.next(2).hello();
        next.fence();
        next.assertContent();
        assertThat(rig.memory.list(ReplicaRig.PLACE).size())
                .isLessThanOrEqualTo(2 * (151 + SnapshotRemoval.RESIDUAL_LAYERS_MAX) + 1);
    }

    @Test
    void journaledBlocksCountAsTheSpaceTheyWillTake() throws IOException {
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 1, 2, 3);
        assertThat(engine.status().layers().get(0).dataBytes()).isEqualTo(3 * 4096);
        assertThat(engine.status().allocatedBytes()).isEqualTo(3 * 4096);
        engine.settle();
        long settled = engine.status().allocatedBytes();
        assertThat(engine.status().layers().get(0).dataBytes()).isEqualTo(3 * 4096);
        // Two of them are there already.
        engine.write(1, 4, 5, 6);
        engine.zeroes(0, 1);
        assertThat(engine.status().layers().get(0).dataBytes()).isEqualTo(3 * 4096);
        assertThat(engine.status().allocatedBytes()).isEqualTo(settled);
        engine.settle();
        assertThat(engine.status().layers().get(0).dataBytes()).isEqualTo(3 * 4096);
    }

    @Test
    void roomIsAskedForAheadOfScatteredBlocksWhileTheyAreNew() throws IOException {
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        writeScattered(engine);
        assertThat(rig.memory.reservations).isEqualTo(3);
        writeScattered(engine);
        // From here on it is known that they had their room.
        int asked = rig.memory.reservations;
        writeScattered(engine);
        assertThat(rig.memory.reservations).isEqualTo(asked);
        engine.write(20, ReplicaDiskTest.seeds(40, 1));
        engine.settle();
        int afterRun = rig.memory.reservations;
        assertThat(afterRun).isEqualTo(asked);
        engine.write(70, 1);
        engine.settle();
        assertThat(rig.memory.reservations).isEqualTo(afterRun + 1);
    }

    private static void writeScattered(ScriptedEngine engine) {
        engine.write(0, 1);
        engine.write(5, 2);
        engine.write(9, 3);
        engine.settle();
    }

    @Test
    void copiesOfARebuildLeaveTheReserve() throws IOException {
        ReplicaRig sourceRig = new ReplicaRig().start();
        ScriptedEngine source = sourceRig.engine(1);
        source.replicaId = new java.util.UUID(0xABCDEF, 1);
        source.open();
        source.write(0, ReplicaDiskTest.seeds(60, 1));
        source.settle();
        rig.settings = ReplicaRig.settings().reserveBytes(RESERVE_PAGES * 4096L).build();
        rig.start();
        ScriptedEngine target = rig.engine(1).hello().create();
        RebuildConversation rebuild = new RebuildConversation(source, target, target.fence(), 0, 5).begin();
        rig.memory.freePages = RESERVE_PAGES + 20;
        rig.pass(ReplicaRig.SECOND);
        long id = source.ask(new Message.LayerRead(LayerId.ROOT, 0, 0, 400, java.util.List.of()));
        rebuild.send(source.reads.remove(id));
        assertThat(target.refusal()).isEqualTo(io.longhorn.ErrorCode.DISK_FULL);
        assertThat(rig.memory.freePages).isGreaterThan(RESERVE_PAGES);
        assertThat(rig.disk().hasFailed()).isFalse();
    }

    @Test
    void removalThatFindsNoSpaceIsTriedAgainLaterAndNotInALoop() throws IOException {
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 1, 2, 3);
        LayerId one = engine.snapshot("one");
        engine.write(1, 4);
        engine.settle();
        engine.delete(one);
        engine.commit();
        engine.flush();
        // The record needs nothing but metadata; the other copy of the map page needs a page that is not there.
        long free = rig.memory.freePages;
        rig.memory.failingWrite = ".map";
        rig.memory.freePages = 20;
        rig.disk().checkpointer().request(rig.replica());
        int works = 0;
        while (works < 200 && rig.worker.runOne(DiskWorker.Lane.CHECKPOINT)) {
            works++;
        }
        assertThat(works).isLessThan(50);
        assertThat(rig.disk().hasFailed()).isFalse();
        assertThat(engine.status().layers()).hasSize(2);
        rig.memory.failingWrite = "-none-";
        rig.memory.freePages = free;
        rig.pass(10 * ReplicaRig.SECOND);
        engine.assertContent();
        // Block 1 was given back; the others are needed below the head.
        assertThat(engine.status().layers().get(0).dataBytes()).isEqualTo(2 * 4096);
    }

    @Test
    void layerWhoseRemovalCouldNotBeStoredIsRemovedLater() throws IOException {
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        engine.write(0, 1, 2, 3);
        LayerId one = engine.snapshot("one");
        engine.write(0, 4, 5, 6);
        engine.settle();
        int files = rig.memory.list(ReplicaRig.PLACE).size();
        engine.delete(one);
        engine.settle();
        assertThat(rig.memory.list(ReplicaRig.PLACE)).hasSize(files - 2);
        LayerId two = engine.snapshot("two");
        engine.write(0, 7, 8, 9);
        engine.settle();
        engine.delete(two);
        engine.commit();
        engine.flush();
        rig.disk().checkpointer().request(rig.replica());
        long free = rig.memory.freePages;
        while (rig.replica().tree.all().size() == 2) {
            assertThat(rig.worker.runOne(DiskWorker.Lane.CHECKPOINT)).isTrue();
        }
        // The layer is out of the tree; the metadata that says so finds no space.
        rig.memory.freePages = 0;
        rig.run();
        assertThat(rig.disk().hasFailed()).isFalse();
        assertThat(rig.memory.list(ReplicaRig.PLACE))
                .filteredOn(name -> name.startsWith("layer"))
                .hasSize(4);
        rig.memory.freePages = free;
        rig.pass(10 * ReplicaRig.SECOND);
        assertThat(rig.memory.list(ReplicaRig.PLACE)).hasSize(files - 2);
        engine.assertContent();
    }
}
