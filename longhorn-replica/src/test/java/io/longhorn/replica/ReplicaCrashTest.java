package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Power is lost at every step of what a replica does with its records. See {@link CrashRuns}. */
class ReplicaCrashTest {
    private static void writes(ScriptedEngine engine) {
        engine.write(0, ReplicaDiskTest.seeds(20, 1));
        engine.write(330, ReplicaDiskTest.seeds(12, 2));
        engine.zeroes(4, 3);
        engine.discard(332, 10);
        engine.write(5, 55);
    }

    @Test
    void checkpoint() throws IOException {
        CrashRuns.forEveryCut(
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
                },
                CrashRuns::assertHistory);
    }

    @Test
    void snapshot() throws IOException {
        CrashRuns.forEveryCut(
                ReplicaCrashTest::writes,
                engine -> {
                    engine.snapshot("one");
                    engine.flush();
                    engine.write(1, 71, 72);
                    engine.settle();
                    engine.snapshot("two");
                    engine.write(1, 81);
                    engine.settle();
                },
                CrashRuns::assertHistory);
    }

    @Test
    void deletionOfTheOldestInTheMiddleAndTheNewestSnapshot() throws IOException {
        LayerId[] ids = new LayerId[4];
        CrashRuns.forEveryCut(
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
                },
                CrashRuns::assertHistory);
    }

    @Test
    void mergingOfResidualLayers() throws IOException {
        CrashRuns.forEveryCut(
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
                },
                CrashRuns::assertHistory);
    }

    @Test
    void revert() throws IOException {
        LayerId[] ids = new LayerId[2];
        CrashRuns.forEveryCut(
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
                },
                CrashRuns::assertHistory);
    }

    @Test
    void expansion() throws IOException {
        CrashRuns.forEveryCut(
                ReplicaCrashTest::writes,
                engine -> {
                    engine.expand(700);
                    engine.write(690, 1, 2, 3);
                    engine.settle();
                    engine.snapshot("wide");
                    engine.expand(1100);
                    engine.write(1090, 4);
                    engine.zeroes(695, 20);
                    engine.settle();
                },
                CrashRuns::assertHistory);
    }

    @Test
    void segmentsUsedAgain() throws IOException {
        CrashRuns.forEveryCut(
                ReplicaCrashTest::writes,
                engine -> {
                    for (int round = 0; round < 6; round++) {
                        for (int i = 0; i < 3; i++) {
                            engine.write(64 * i, ReplicaDiskTest.seeds(30, 10 * round + i));
                        }
                        engine.settle();
                    }
                },
                CrashRuns::assertHistory);
    }
}
