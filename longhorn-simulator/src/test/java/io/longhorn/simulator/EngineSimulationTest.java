package io.longhorn.simulator;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class EngineSimulationTest {
    @Test
    @Timeout(value = 600, unit = TimeUnit.SECONDS)
    void seeds() {
        long from = Long.getLong("longhorn.seed", 1);
        long count = Long.getLong("longhorn.seeds", 20);
        SeedRunner runner = new SeedRunner();
        ClusterShape shape = new ClusterShape(
                SeedRunner.models(), ClusterShape.FaultKinds.ALL, Integer.getInteger("longhorn.trace", 200), null);
        long start = System.nanoTime();
        int failed = 0;
        for (long seed = from; seed < from + count; seed++) {
            try {
                runner.run(seed, shape);
            } catch (AssertionError e) {
                failed++;
                String m = String.valueOf(e.getMessage());
                System.out.println(
                        count == 1
                                ? m
                                : m.substring(0, Math.min(400, m.length())).replace("\n", " | "));
                if (count == 1) throw e;
            }
        }
        System.out.println("failed " + failed + " of " + count + " steps " + runner.steps + " ops " + runner.operations
                + " confirmed " + runner.confirmed + " virtual s " + runner.virtualNanos / 1e9 + " real ms "
                + (System.nanoTime() - start) / 1_000_000);
    }
}
