package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Power is lost before every single operation on the disk, one run for each, in three ways: all that was not synced is gone; some of it is, torn by sectors; nothing is, as when only
 * the process dies. Whatever is found then must be a beginning of the history, not shorter than what was called durable, in the head and in every snapshot; and it must stay so while
 * the new run moves it into layers and goes on.
 */
class ReplicaCrashTest {
    private enum Loss {
        EVERYTHING_UNSYNCED,
        SOME,
        NOTHING
    }

    /** What is done until the power goes. */
    private interface Scenario {
        void run(ScriptedEngine engine) throws IOException;
    }

    private static final int RUNS_MIN = 10;

    /** @param prepare what happens before, undisturbed */
    private static void forEveryCut(Scenario prepare, Scenario scenario) throws IOException {
        int operations = run(prepare, scenario, Integer.MAX_VALUE, Loss.NOTHING);
        assertThat(operations).isGreaterThan(RUNS_MIN);
        for (int cut = 1; cut <= operations; cut++) {
            for (Loss loss : Loss.values()) {
                run(prepare, scenario, cut, loss);
            }
        }
    }

    private static int run(Scenario prepare, Scenario scenario, int cut, Loss loss) throws IOException {
        ReplicaRig rig = new ReplicaRig();
        rig.settings = ReplicaRig.settings().journal(768 << 10, 5).build();
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        prepare.run(engine);
        rig.power.operations = 0;
        rig.power.cutAt = cut;
        try {
            scenario.run(engine);
        } catch (PowerCut.Dark e) {
            // As planned.
        }
        int operations = rig.power.operations;
        try {
            recover(rig, engine, cut, loss);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("cut at operation " + cut + " of the scenario, loss " + loss, e);
        }
        return operations;
    }

    private static void recover(ReplicaRig rig, ScriptedEngine engine, int cut, Loss loss) throws IOException {
        switch (loss) {
            case EVERYTHING_UNSYNCED -> rig.memory.forgetUnsynced();
            case SOME -> rig.memory.crash(new Random(cut));
            case NOTHING -> {
                // The operating system lives on.
            }
        }
        long surely = loss == Loss.NOTHING ? engine.journaled : engine.durable;
        rig.bootId = loss == Loss.NOTHING ? rig.bootId : "boot-2";
        rig.start();
        ScriptedEngine next = engine.next(engine.epoch + 1).hello();
        Message.FenceOk state = next.fence();
        assertThat(state.lastSequence()).as("what was acknowledged is there").isGreaterThanOrEqualTo(surely);
        assertThat(state.mixed()).isFalse();
        next.committed = Math.min(next.committed, state.lastSequence());
        next.assertContent();
        next.startEpoch();
        next.write(3, 3001, 3002);
        next.zeroes(340, 2);
        next.settle();
        assertThat(next.failures).isEmpty();
        assertThat(next.status().checkpointed()).isEqualTo(next.sequence);
        assertThat(next.status().damagedBlocks()).isZero();
        next.assertContent();
        // And from the layers alone.
        rig.memory.forgetUnsynced();
        rig.start();
        ScriptedEngine last = next.next(next.epoch + 1).hello();
        assertThat(last.fence().lastSequence()).isEqualTo(next.sequence);
        last.assertContent();
    }

    private static void writes(ScriptedEngine engine) {
        engine.write(0, ReplicaDiskTest.seeds(20, 1));
        engine.write(330, ReplicaDiskTest.seeds(12, 2));
        engine.zeroes(4, 3);
        engine.discard(332, 10);
        engine.write(5, 55);
    }

    @Test
    void checkpoint() throws IOException {
        forEveryCut(
                engine -> {
                    writes(engine);
                    engine.settle();
                },
                engine -> {
                    engine.write(2, 21, 22, 23, 24, 25, 26);
                    engine.zeroes(330, 4);
                    engine.write(331, 31);
                    engine.settle();
                    engine.write(2, 41);
                    engine.settle();
                    engine.write(3, 51);
                    engine.flush();
                });
    }

    @Test
    void snapshot() throws IOException {
        forEveryCut(ReplicaCrashTest::writes, engine -> {
            engine.snapshot("one");
            engine.flush();
            engine.write(1, 71, 72);
            engine.settle();
            engine.snapshot("two");
            engine.write(1, 81);
            engine.settle();
        });
    }

    @Test
    void deletionOfTheOldestInTheMiddleAndTheNewestSnapshot() throws IOException {
        LayerId[] ids = new LayerId[4];
        forEveryCut(
                engine -> {
                    for (int i = 0; i < ids.length; i++) {
                        engine.write(10 * i, ReplicaDiskTest.seeds(15, i + 1));
                        engine.write(335, i + 7);
                        ids[i] = engine.snapshot("s" + i);
                    }
                    engine.settle();
                },
                engine -> {
                    engine.delete(ids[0]);
                    engine.settle();
                    engine.write(12, 91, 92, 93);
                    engine.delete(ids[2]);
                    engine.settle();
                    engine.delete(ids[3]);
                    engine.write(30, 94);
                    engine.settle();
                    engine.pass();
                });
    }

    @Test
    void mergingOfResidualLayers() throws IOException {
        forEveryCut(
                engine -> {
                    LayerId[] ids = new LayerId[SnapshotRemoval.RESIDUAL_LAYERS_MAX + 1];
                    for (int i = 0; i < ids.length; i++) {
                        engine.write(i, i + 100, i + 200);
                        engine.zeroes(340 + i, 2);
                        ids[i] = engine.snapshot("s" + i);
                    }
                    engine.snapshot("kept");
                    engine.settle();
                    for (LayerId id : ids) {
                        engine.delete(id);
                    }
                    engine.flush();
                },
                engine -> {
                    engine.settle();
                    engine.pass();
                    // Its two lowest blocks of layers are not overridden, so one layer too many was merged.
                    assertThat(engine.status().layers()).hasSize(SnapshotRemoval.RESIDUAL_LAYERS_MAX + 2);
                });
    }

    @Test
    void revert() throws IOException {
        LayerId[] ids = new LayerId[2];
        forEveryCut(
                engine -> {
                    writes(engine);
                    ids[0] = engine.snapshot("one");
                    engine.write(1, 61, 62);
                    ids[1] = engine.snapshot("two");
                    engine.write(2, 63);
                    engine.settle();
                },
                engine -> {
                    engine.write(7, 64);
                    engine.revert(ids[0]);
                    engine.write(8, 65);
                    engine.settle();
                    engine.revert(ids[1]);
                    engine.settle();
                    engine.delete(ids[0]);
                    engine.settle();
                });
    }

    @Test
    void expansion() throws IOException {
        forEveryCut(ReplicaCrashTest::writes, engine -> {
            engine.expand(700);
            engine.write(690, 1, 2, 3);
            engine.settle();
            engine.snapshot("wide");
            engine.expand(1100);
            engine.write(1090, 4);
            engine.zeroes(695, 20);
            engine.settle();
        });
    }

    @Test
    void segmentsUsedAgain() throws IOException {
        forEveryCut(ReplicaCrashTest::writes, engine -> {
            for (int round = 0; round < 6; round++) {
                for (int i = 0; i < 3; i++) {
                    engine.write(64 * i, ReplicaDiskTest.seeds(30, 10 * round + i));
                }
                engine.settle();
            }
        });
    }
}
