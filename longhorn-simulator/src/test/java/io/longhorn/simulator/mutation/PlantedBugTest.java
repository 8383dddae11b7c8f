package io.longhorn.simulator.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulator must find the bugs that the design's rules prevent: each rule is left out once, and seeds are run until a promise breaks. A rule that can
 * be left out unnoticed is either not needed or not tested.
 */
@Tag("campaign")
class PlantedBugTest {
    private static final String ENGINE = "io.longhorn.engine.";
    private static final String ENGINE_BUGS = ENGINE + "EngineBugs";
    private static final String REPLICA = "io.longhorn.replica.";
    private static final String REPLICA_BUGS = REPLICA + "ReplicaBugs";
    private static final int SEEDS_MAX = 3000;

    /** A bug and the runs that look for it. */
    record Planted(Mutant mutant, String shape) {
        @Override
        public String toString() {
            return mutant.name();
        }
    }

    private static Planted engine(String name, String className, String method) {
        return new Planted(Mutant.replaced(name, ENGINE + className, method, ENGINE_BUGS), "real");
    }

    private static Planted engine(String name, String className, String method, boolean value) {
        return new Planted(Mutant.always(name, ENGINE + className, method, value), "real");
    }

    private static Planted replica(String name, String className, String method) {
        return new Planted(Mutant.replaced(name, REPLICA + className, method, REPLICA_BUGS), "real");
    }

    private static Planted replica(String name, String className, String method, boolean value) {
        return new Planted(Mutant.always(name, REPLICA + className, method, value), "real");
    }

    private static Planted checkpoint(String name, String bug) {
        return new Planted(
                Mutant.replaced(name, REPLICA + "ReplicaState", "checkpointLimit", REPLICA_BUGS + "$" + bug), "real");
    }

    static Stream<Planted> all() {
        return Stream.of(
                engine("confirm before all journaled", "ViewKeeper", "journaledByAll"),
                engine("flush before all durable", "ViewKeeper", "durableByAll"),
                engine("skip the view record", "ViewKeeper", "without"),
                engine("opener never waits", "Opening", "mustWaitOut", false),
                engine("lease from receive time", "ReadPath", "renewLease"),
                engine("read not held", "ReadPath", "mustHold", false),
                engine("read without lease", "ReadPath", "leaseAllows", true),
                engine("lost-tail replica accepted alone", "Opening", "mayGoOnWith", true),
                engine("catch-up joins without sync", "CatchUp", "isDurableThrough", true),
                replica("rebuild joins without sync", "RebuildTarget", "mayJoin", true),
                replica("skip the epoch check", "ReplicaSession", "isOutdated", false),
                replica("records out of order", "RecordIntake", "isNext", true),
                replica("records of any epoch", "RecordIntake", "isOfItsTime", true),
                replica("ignore a failed sync", "Journal", "syncSucceeded", true),
                replica("durable before the sync", "RecordIntake", "durableForAck"),
                checkpoint("checkpoint an uncommitted record", "Uncommitted"),
                checkpoint("checkpoint before the local sync", "Undurable"),
                replica("punch before the deletion is committed", "SnapshotRemoval", "mayGo"),
                replica("punch what nothing overrides", "SnapshotRemoval", "isOverridden", true),
                replica("copy over a newer live write", "RebuildTarget", "isInstalled", true),
                replica("copies beside the journal", "CopiedBlocks", "isJournaled", false),
                replica("append after a torn tail", "JournalRecovery", "segmentToAppendTo"),
                replica("damage is the end", "SegmentScan", "isEnd", true),
                replica("flipped bit journaled", "RecordIntake", "blocksMatch", true),
                replica("repair over a newer version", "BlockRepair", "isStillTheOne", true),
                replica("punch under a pin", "Pins", "holds", false));
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
