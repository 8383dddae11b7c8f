package io.longhorn.simulator.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
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
    private static final int SEEDS_MAX = 3000;

    static Stream<Mutant> enginesBugs() {
        return Stream.of(
                Mutant.replaced("confirm before all journaled", ENGINE + "ViewKeeper", "journaledByAll", ENGINE_BUGS),
                Mutant.replaced("flush before all durable", ENGINE + "ViewKeeper", "durableByAll", ENGINE_BUGS),
                Mutant.replaced("skip the view record", ENGINE + "ViewKeeper", "without", ENGINE_BUGS),
                Mutant.always("opener never waits", ENGINE + "Opening", "mustWaitOut", false),
                Mutant.replaced("lease from receive time", ENGINE + "ReadPath", "renewLease", ENGINE_BUGS),
                Mutant.always("read not held", ENGINE + "ReadPath", "mustHold", false),
                Mutant.always("read without lease", ENGINE + "ReadPath", "leaseAllows", true),
                Mutant.always("lost-tail replica accepted alone", ENGINE + "Opening", "mayGoOnWith", true));
    }

    @ParameterizedTest
    @MethodSource("enginesBugs")
    void engineWithoutARuleIsFoundOut(Mutant mutant) throws Exception {
        assertThat(seedsUntilFound(mutant, "model")).as(mutant.name()).isPositive();
    }

    @Test
    void engineWithAllRulesIsNot() throws Exception {
        BiFunction<Long, String, String> run = runnerOf(Mutant.none());
        for (long seed = 1; seed <= 30; seed++) {
            assertThat(run.apply(seed, "model")).isEmpty();
        }
    }

    /** How many seeds it took, or -1. */
    private static int seedsUntilFound(Mutant mutant, String shape) throws Exception {
        BiFunction<Long, String, String> run = runnerOf(mutant);
        for (int seed = 1; seed <= SEEDS_MAX; seed++) {
            String found = run.apply((long) seed, shape);
            if (!found.isEmpty()) {
                System.out.println(mutant.name() + " found by seed " + seed + ": "
                        + found.lines().findFirst().orElse(""));
                return seed;
            }
        }
        return -1;
    }

    @SuppressWarnings("unchecked")
    private static BiFunction<Long, String, String> runnerOf(Mutant mutant)
            throws ReflectiveOperationException, InvocationTargetException {
        MutantLoader loader = new MutantLoader(PlantedBugTest.class.getClassLoader(), mutant);
        return (BiFunction<Long, String, String>) loader.loadClass("io.longhorn.simulator.MutantRun")
                .getConstructor()
                .newInstance();
    }
}
