package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.disk.PowerCut;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.Random;

/**
 * Runs a scenario once for every single operation on the disk, and loses power before it is carried out, in three ways: all that was not synced is gone; some of it is, torn by
 * sectors; nothing is, as when only the process dies.
 */
final class CrashRuns {
    enum Loss {
        EVERYTHING_UNSYNCED,
        SOME,
        NOTHING
    }

    /** What is done until the power goes, or before. */
    interface Scenario {
        void run(ScriptedEngine engine) throws IOException;
    }

    /** Looks at what is left, on a server that was started again. */
    interface Check {
        /**
         * Looks.
         *
         * @param engine the last one that had fenced the replica
         * @param epoch for the next one
         */
        void run(ReplicaRig rig, ScriptedEngine engine, long epoch, Loss loss) throws IOException;
    }

    private static final int OPERATIONS_MIN = 5;

    private CrashRuns() {}

    /** @param prepare what happens before, undisturbed */
    static void forEveryCut(Scenario prepare, Scenario scenario, Check check) throws IOException {
        int operations = run(prepare, scenario, Integer.MAX_VALUE, Loss.NOTHING, check);
        assertThat(operations).isGreaterThan(OPERATIONS_MIN);
        for (int cut = 1; cut <= operations; cut++) {
            for (Loss loss : Loss.values()) {
                run(prepare, scenario, cut, loss, check);
            }
        }
    }

    private static int run(Scenario prepare, Scenario scenario, int cut, Loss loss, Check check) throws IOException {
        ReplicaRig rig = new ReplicaRig();
        rig.settings = ReplicaRig.settings()
                .journal(768 << 10, 5)
                .checkpointBytes(256 << 10)
                .checkpointPieceBlocks(5)
                .build();
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
        ScriptedEngine last = engine;
        long epoch = engine.epoch;
        for (ScriptedEngine next = engine.successor; next != null; next = next.successor) {
            epoch = next.epoch;
            last = next.fenced ? next : last;
        }
        try {
            losePower(rig, cut, loss);
            check.run(rig, last, epoch + 1, loss);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("cut at operation " + cut + " of the scenario, loss " + loss, e);
        }
        return operations;
    }

    private static void losePower(ReplicaRig rig, int cut, Loss loss) throws IOException {
        switch (loss) {
            case EVERYTHING_UNSYNCED -> rig.memory.forgetUnsynced();
            case SOME -> rig.memory.crash(new Random(cut));
            case NOTHING -> {
                // The operating system lives on.
            }
        }
        rig.bootId = loss == Loss.NOTHING ? rig.bootId : "boot-2";
        rig.start();
    }

    /**
     * The replica holds a beginning of the history, not shorter than what was called durable, in the head and in every snapshot; and it stays so while the new run moves it into
     * layers and goes on.
     */
    static void assertHistory(ReplicaRig rig, ScriptedEngine engine, long epoch, Loss loss) throws IOException {
        long surely = loss == Loss.NOTHING ? engine.journaled : engine.durable;
        ScriptedEngine next = engine.next(rig, epoch).hello();
        Message.FenceOk state = next.fence();
        assertThat(state.lastSequence()).as("what was acknowledged is there").isGreaterThanOrEqualTo(surely);
        assertThat(state.mixed()).isFalse();
        next.committed = Math.min(next.committed, state.lastSequence());
        next.assertContent();
        assertGoesOn(rig, next);
    }

    static void assertGoesOn(ReplicaRig rig, ScriptedEngine engine) throws IOException {
        engine.startEpoch();
        engine.write(3, 3001, 3002);
        engine.zeroes(340, 2);
        engine.settle();
        assertThat(engine.failures).isEmpty();
        assertThat(engine.status().checkpointed()).isEqualTo(engine.sequence);
        assertThat(engine.status().damagedBlocks()).isZero();
        engine.assertContent();
        // And from the layers alone.
        rig.memory.forgetUnsynced();
        rig.start();
        ScriptedEngine last = engine.next(rig, engine.epoch + 1).hello();
        assertThat(last.fence().lastSequence()).isEqualTo(engine.sequence);
        last.assertContent();
    }
}
