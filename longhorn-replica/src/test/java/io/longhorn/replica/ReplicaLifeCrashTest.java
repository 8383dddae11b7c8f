package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.ReadLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Power is lost at every step of the making, deleting, repairing, parking and rebuilding of a replica. See {@link CrashRuns}. */
class ReplicaLifeCrashTest {
    private static final UUID OTHER = new UUID(0xABCDEF, 1);

    private boolean answered;

    private static void writes(ScriptedEngine engine) {
        engine.write(0, ReplicaDiskTest.seeds(20, 1));
        engine.write(330, ReplicaDiskTest.seeds(12, 2));
        engine.snapshot("one");
        engine.write(5, 55);
        engine.settle();
    }

    @Test
    void making() throws IOException {
        CrashRuns.forEveryCut(
                engine -> {
                    writes(engine);
                    answered = false;
                },
                engine -> {
                    ScriptedEngine other = engine.rig().engine(1);
                    other.replicaId = OTHER;
                    other.hello().create();
                    answered = true;
                },
                (rig, engine, epoch, loss) -> {
                    assertThat(rig.disk().hosts(OTHER) || !answered).isTrue();
                    ScriptedEngine other = rig.engine(1);
                    other.replicaId = OTHER;
                    other.open();
                    other.write(1, 11);
                    other.settle();
                    other.assertContent();
                    assertThat(rig.memory.list("replicas")).hasSize(2);
                    CrashRuns.assertHistory(rig, engine, epoch, loss);
                });
    }

    @Test
    void deleting() throws IOException {
        ScriptedEngine[] second = new ScriptedEngine[1];
        CrashRuns.forEveryCut(
                engine -> {
                    writes(engine);
                    answered = false;
                    ScriptedEngine other = engine.rig().engine(1);
                    other.replicaId = OTHER;
                    other.open();
                    writes(other);
                    other.write(9, 99);
                    other.flush();
                    second[0] = other;
                },
                engine -> {
                    ScriptedEngine deleting = engine.rig().engine(1).hello();
                    deleting.ask(new Message.DeleteReplica(1, ReplicaRig.VOLUME, OTHER), Message.Done.class);
                    answered = true;
                },
                (rig, engine, epoch, loss) -> {
                    assertThat(rig.disk().hosts(OTHER) && answered).isFalse();
                    if (rig.disk().hosts(OTHER)) {
                        CrashRuns.assertHistory(rig, second[0], epoch, loss);
                        rig.engine(epoch + 5)
                                .hello()
                                .ask(
                                        new Message.DeleteReplica(epoch + 5, ReplicaRig.VOLUME, OTHER),
                                        Message.Done.class);
                    }
                    rig.quiet();
                    assertThat(rig.memory.list("replicas")).hasSize(1);
                    CrashRuns.assertHistory(rig, engine, epoch, loss);
                });
    }

    @Test
    void parkingOfATailNobodyDecidesAbout() throws IOException {
        CrashRuns.forEveryCut(
                engine -> {
                    writes(engine);
                    engine.write(7, 701, 702);
                    engine.snapshot("perhaps");
                    engine.write(8, 801);
                    engine.flush();
                    engine.lose();
                },
                engine -> {
                    ScriptedEngine other = engine.rig().engine(1);
                    other.replicaId = OTHER;
                    other.open();
                    for (int i = 0; i < 9; i++) {
                        other.write(0, ReplicaDiskTest.seeds(40, i + 1));
                        other.write(50, ReplicaDiskTest.seeds(40, i + 1));
                        other.settle();
                    }
                    assertThat(engine.rig().replica().isParked()).isTrue();
                    ScriptedEngine next = engine.next(2).hello();
                    assertThat(next.fence().lastSequence()).isEqualTo(engine.sequence);
                    next.startEpoch();
                    next.write(9, 901);
                    next.settle();
                },
                CrashRuns::assertHistory);
    }

    @Test
    void repairing() throws IOException {
        CrashRuns.forEveryCut(
                engine -> {
                    writes(engine);
                    engine.rig()
                            .memory
                            .flip(
                                    ReplicaRig.PLACE + "/" + LayerFiles.baseName(LayerId.ROOT) + ".data",
                                    3 * 4096 + 7,
                                    1);
                    answered = false;
                },
                engine -> {
                    engine.ask(
                            new Message.Repair(
                                    LayerId.ROOT, 3, 2, ReplicaCheckpointTest.crc(1004), VolumeModel.content(1004)),
                            Message.Done.class);
                    answered = true;
                    engine.rig().quiet();
                },
                (rig, engine, epoch, loss) -> {
                    ScriptedEngine next = engine.next(rig, epoch).hello();
                    next.fence();
                    boolean good = isGood(next, 3);
                    assertThat(good || !answered).isTrue();
                    if (!good) {
                        next.ask(
                                new Message.Repair(
                                        LayerId.ROOT, 3, 2, ReplicaCheckpointTest.crc(1004), VolumeModel.content(1004)),
                                Message.Done.class);
                    }
                    next.assertContent();
                    CrashRuns.assertGoesOn(rig, next);
                });
    }

    private static boolean isGood(ScriptedEngine engine, int block) {
        ByteBuffer answer = engine.read(LayerId.LIVE, 0, block, 1);
        assertThat(answer).isNotNull();
        return ReadLayout.blockCrc(answer, 0, 0) == Checksum.block(answer, ReadLayout.answerHeaderLength(1));
    }

    /** The target has a tail of its own that the source does not have, and lacks what came since. */
    @Test
    void beingRebuilt() throws IOException {
        long[] common = new long[1];
        ScriptedEngine[] source = new ScriptedEngine[1];
        List<ScriptedEngine.Entry> own = new ArrayList<>();
        CrashRuns.forEveryCut(
                engine -> {
                    ReplicaRig sourceRig = new ReplicaRig().start();
                    ScriptedEngine first = sourceRig.engine(1);
                    first.replicaId = OTHER;
                    first.open();
                    both(first, engine, e -> {
                        e.write(0, ReplicaDiskTest.seeds(20, 1));
                        e.write(330, ReplicaDiskTest.seeds(12, 2));
                        e.snapshot("one");
                        e.write(2, 21, 22);
                    });
                    first.settle();
                    engine.settle();
                    common[0] = first.sequence;
                    // Nobody else has these.
                    engine.write(1, 666);
                    engine.snapshot("lost");
                    engine.write(333, 667);
                    engine.flush();
                    engine.committed = common[0];
                    own.clear();
                    own.addAll(engine.history);
                    ScriptedEngine second = first.next(2).hello();
                    second.fence();
                    second.startEpoch();
                    second.write(4, 41);
                    LayerId two = second.snapshot("two");
                    second.zeroes(331, 4);
                    second.write(9, 91, 92);
                    second.snapshot("three");
                    second.delete(two);
                    second.settle();
                    source[0] = second;
                },
                engine -> {
                    ScriptedEngine target = engine.next(2).hello();
                    Message.FenceOk state = target.fence();
                    RebuildConversation rebuild =
                            new RebuildConversation(source[0], target, state, common[0], 77).begin();
                    both(source[0], target, e -> e.write(6, 61, 62));
                    rebuild.copy();
                    both(source[0], target, e -> e.write(0, 1));
                    rebuild.end().join();
                    source[0].settle();
                    target.settle();
                },
                (rig, engine, epoch, loss) -> {
                    ScriptedEngine from = source[0].next(source[0].epoch + 1).hello();
                    from.fence();
                    from.startEpoch();
                    from.settle();
                    ScriptedEngine target = engine.next(rig, from.epoch).hello();
                    Message.FenceOk state = target.fence();
                    long shared = state.lastEpoch() == 1 || state.mixed() ? common[0] : state.lastSequence();
                    if (!state.mixed()) {
                        // Either nothing has happened yet, or all.
                        List<ScriptedEngine.Entry> history = state.lastEpoch() == 1 ? own : from.history;
                        target.history = new ArrayList<>(history.subList(0, (int) state.lastSequence()));
                        target.assertContent();
                    }
                    new RebuildConversation(from, target, state, shared, 78)
                            .begin()
                            .copy()
                            .end()
                            .join();
                    target.assertContent();
                    target.settle();
                    assertThat(target.status().damagedBlocks()).isZero();
                    rig.memory.forgetUnsynced();
                    rig.start();
                    ScriptedEngine last = target.next(rig, target.epoch + 1).hello();
                    Message.FenceOk after = last.fence();
                    assertThat(after.mixed()).isFalse();
                    assertThat(after.lastSequence()).isEqualTo(from.sequence);
                    last.assertContent();
                });
    }

    private interface Step {
        void run(ScriptedEngine engine);
    }

    private static void both(ScriptedEngine one, ScriptedEngine two, Step step) {
        step.run(one);
        step.run(two);
    }
}
