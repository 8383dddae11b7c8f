package io.longhorn.simulator.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulator must find the bugs that the design's rules prevent: each rule is left out once, and seeds are run until a promise breaks. A rule that can
 * be left out unnoticed is either not needed or not tested. What ends the search is the number of seeds; how long they take depends on the machine.
 */
@Timeout(300)
class PlantedBugTest {
    private static final String ENGINE = "io.longhorn.engine.";
    private static final String ENGINE_BUGS = ENGINE + "EngineBugs";
    private static final String REPLICA = "io.longhorn.replica.";
    private static final String REPLICA_BUGS = REPLICA + "ReplicaBugs";
    private static final String JOURNAL = REPLICA + "journal.";
    private static final String JOURNAL_BUGS = JOURNAL + "JournalBugs";
    private static final int SEEDS_MAX = 3000;

    /** A bug and the runs that look for it. */
    record Planted(Mutant mutant, String shape) {
        @Override
        public String toString() {
            return mutant.name();
        }
    }

    private static Planted bug(String name, String className, String method, String bugs, String faults) {
        return new Planted(Mutant.replaced(name, className, method, bugs), "real:" + faults);
    }

    private static Planted engine(String name, String className, String method, String faults) {
        return bug(name, ENGINE + className, method, ENGINE_BUGS, faults);
    }

    private static Planted engine(String name, String className, String method, boolean value, String faults) {
        return new Planted(Mutant.always(name, ENGINE + className, method, value), "real:" + faults);
    }

    private static Planted replica(String name, String className, String method, String faults) {
        return bug(name, REPLICA + className, method, REPLICA_BUGS, faults);
    }

    private static Planted replica(String name, String className, String method, boolean value, String faults) {
        return new Planted(Mutant.always(name, REPLICA + className, method, value), "real:" + faults);
    }

    private static Planted journal(String name, String className, String method, String faults) {
        return bug(name, JOURNAL + className, method, JOURNAL_BUGS, faults);
    }

    private static Planted journal(String name, String className, String method, boolean value, String faults) {
        return new Planted(Mutant.always(name, JOURNAL + className, method, value), "real:" + faults);
    }

    static Stream<Planted> all() {
        return Stream.of(
                engine(
                        "confirm before all journaled",
                        "ViewKeeper",
                        "journaledByAll",
                        "splitWrites,splitWrites,killEngineAndHideReplica"),
                engine("flush before all durable", "ViewKeeper", "durableByAll", "loseAllButTheSlowest"),
                replica("durable before the sync", "RecordIntake", "durableForAck", "losePowerEverywhere"),
                journal("ignore a failed sync", "Journal", "syncSucceeded", true, "failSync,failSync,loseAllButOne"),
                replica("skip the epoch check", "ReplicaSession", "isOutdated", false, "raceEngines,raceUnseen"),
                engine("skip the view record", "ViewKeeper", "without", "wipe,killServer"),
                engine("lost-tail replica accepted alone", "Opening", "mayGoOnWith", true, "losePower,killEngine"),
                engine("join without sync", "ViewKeeper", "mayJoin", true, "loseAllButWhoJoins"),
                replica("join without sync of copies", "RebuildTarget", "retainUnsynced", "loseAllButWhoJoins"),
                replica("copy over a newer live write", "RebuildTarget", "isInstalled", true, "rebuildFromSlowDisks"),
                engine("opener never waits", "Opening", "mustWaitOut", false, "raceUnseen"),
                engine("lease from receive time", "ReadPath", "renewLease", "freezeEngine"),
                engine("read without lease", "ReadPath", "leaseAllows", true, "raceUnseen"),
                engine("read not held", "ReadPath", "mustHold", false, "splitWrites"),
                bug(
                        "checkpoint an uncommitted record",
                        REPLICA + "ReplicaState",
                        "checkpointLimit",
                        REPLICA_BUGS + "$Uncommitted",
                        "splitWrites"),
                bug(
                        "checkpoint before the local sync",
                        REPLICA + "ReplicaState",
                        "checkpointLimit",
                        REPLICA_BUGS + "$Undurable",
                        "tearLayer"),
                replica(
                        "punch before the deletion is committed",
                        "SnapshotRemoval",
                        "mayGo",
                        "killEngineAndHideReplica"),
                journal(
                        "append after a torn tail",
                        "JournalRecovery",
                        "segmentToAppendTo",
                        "losePowerEverywhere,crashInFileOperation"),
                journal("damage is the end", "SegmentScan", "isEnd", true, "damageJournalAndHideOthers"),
                replica("flipped bit journaled", "RecordIntake", "blocksMatch", true, "killServer"));
    }

    @ParameterizedTest
    @MethodSource("all")
    void volumeWithoutARuleIsFoundOut(Planted planted) throws Exception {
        assertThat(seedsUntilFound(planted)).as(planted.toString()).isPositive();
    }

    @Test
    void volumeWithAllRulesIsNot() throws Exception {
        BiFunction<Long, String, String> run = runnerOf(Mutant.none());
        for (long seed = 1; seed <= 30; seed++) {
            assertThat(run.apply(seed, "real")).isEmpty();
        }
    }

    /** How many seeds it took, or -1. */
    private static int seedsUntilFound(Planted planted) throws Exception {
        BiFunction<Long, String, String> run = runnerOf(planted.mutant());
        for (int seed = 1; seed <= SEEDS_MAX; seed++) {
            String found = run.apply((long) seed, planted.shape());
            if (!found.isEmpty()) {
                System.out.println(planted + " found by seed " + seed + ": "
                        + found.lines().findFirst().orElse(""));
                return seed;
            }
        }
        return -1;
    }

    @SuppressWarnings("unchecked")
    private static BiFunction<Long, String, String> runnerOf(Mutant mutant) throws ReflectiveOperationException {
        MutantLoader loader = new MutantLoader(PlantedBugTest.class.getClassLoader(), mutant);
        return (BiFunction<Long, String, String>) loader.loadClass("io.longhorn.simulator.MutantRun")
                .getConstructor()
                .newInstance();
    }
}
