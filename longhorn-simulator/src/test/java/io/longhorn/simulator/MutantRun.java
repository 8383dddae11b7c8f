package io.longhorn.simulator;

import java.util.function.BiFunction;

/** Runs a seed for whoever loaded these classes a second time: takes seed and shape, gives back what went wrong, or "". */
public final class MutantRun implements BiFunction<Long, String, String> {
    private final SeedRunner runner = new SeedRunner();

    public MutantRun() {}

    @Override
    public String apply(Long seed, String shape) {
        try {
            runner.run(seed, ClusterShape.named(shape));
            return "";
        } catch (AssertionError e) {
            return String.valueOf(e.getMessage());
        }
    }
}
