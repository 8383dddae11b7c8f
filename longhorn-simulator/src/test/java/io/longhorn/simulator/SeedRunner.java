package io.longhorn.simulator;

import io.longhorn.simulator.model.ModelServer;

/** Runs one seed. */
final class SeedRunner {
    private final SimMemory memory = new SimMemory();
    long steps;
    long operations;
    long confirmed;
    long virtualNanos;
    long salvages;

    /** A cluster whose replica servers are models. */
    static ClusterShape.Servers models() {
        return (host, endpoint, random) -> {
            ModelServer server = new ModelServer(host, endpoint);
            return new ReplicaServerPort() {
                @Override
                public SimProcess start(SimNetwork network) {
                    return server.start(network);
                }

                @Override
                public void losePower() {
                    server.losePower();
                }

                @Override
                public void wipe() {
                    server.wipe();
                }
            };
        };
    }

    /** Runs the seed; returns the trace's hash. Throws an error that shows seed and trace if a promise was broken. */
    long run(long seed, ClusterShape shape) {
        SimulatedCluster cluster = new SimulatedCluster(seed, memory, shape);
        try {
            cluster.run();
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    "seed " + seed + " (replay: -Dlonghorn.seed=" + seed + " -Dlonghorn.replicas=" + shape.name()
                            + "): "
                            + e.getMessage() + "\n"
                            + cluster.scheduler.trace().last(shape.traceLines()),
                    e);
        } finally {
            steps += cluster.steps();
            salvages += cluster.isSalvageNeeded() ? 1 : 0;
            operations += cluster.history.operations().size();
            confirmed += cluster.history.confirmed();
            virtualNanos += cluster.scheduler.now();
        }
        return cluster.scheduler.trace().hash();
    }
}
