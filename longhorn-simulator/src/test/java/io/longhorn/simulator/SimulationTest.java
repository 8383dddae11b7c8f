package io.longhorn.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.longhorn.simulator.ClusterShape.FaultKinds;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Runs of whole clusters: the same seeds every time, and some that nobody ran before. {@code -Dlonghorn.seed=N} replays one, with its trace on
 * the log. See {@code docs/simulator.md}.
 */
class SimulationTest {
    private static final int SEEDS = 120;
    private static final int FRESH_SEEDS = 40;
    private static final int MODEL_SEEDS = 40;

    private static final @Nullable String REPLAYED = System.getProperty("longhorn.seed");

    private final SeedRunner runner = new SeedRunner();

    private void run(ClusterShape shape, long from, int count) {
        assumeThat(REPLAYED).as("only one seed is replayed").isNull();
        for (long seed = from; seed < from + count; seed++) {
            runner.run(seed, shape);
        }
        assertThat(runner.confirmed).isGreaterThan(10L * count);
    }

    @Test
    void volumeKeepsItsPromisesUnderFaults() {
        run(ClusterShape.real(FaultKinds.ALL), 1, SEEDS);
    }

    @Test
    void volumeKeepsItsPromisesOnSeedsNobodyRan() {
        long first = 1_000_000L + new SecureRandom().nextInt(Integer.MAX_VALUE);
        System.out.println("fresh seeds " + first + " to " + (first + FRESH_SEEDS - 1));
        run(ClusterShape.real(FaultKinds.ALL), first, FRESH_SEEDS);
    }

    @Test
    void engineKeepsItsPromisesWithModelsOfReplicas() {
        run(ClusterShape.model(FaultKinds.ALL), 1, MODEL_SEEDS);
    }

    @Test
    void replay() {
        assumeThat(REPLAYED).as("a seed to replay").isNotNull();
        ClusterShape shape = ClusterShape.named(System.getProperty("longhorn.replicas", "real"));
        runner.run(Long.parseLong(REPLAYED), shape.echoing(System.out::println));
    }

    @Test
    void sameSeedGivesTheSameRun() {
        for (long seed = 1; seed <= 5; seed++) {
            long model = runner.run(seed, ClusterShape.model(FaultKinds.ALL));
            assertThat(runner.run(seed, ClusterShape.model(FaultKinds.ALL))).isEqualTo(model);
            long real = runner.run(seed, ClusterShape.real(FaultKinds.ALL));
            assertThat(runner.run(seed, ClusterShape.real(FaultKinds.ALL))).isEqualTo(real);
        }
    }
}
