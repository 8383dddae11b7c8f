package io.longhorn.simulator;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a cluster is made of.
 *
 * @param name for messages: {@code real} or {@code model} replicas
 * @param servers makes the replica servers
 * @param faults which faults there are
 * @param only the kinds of faults that each run has, by their names in {@link Faults}, separated by commas; empty for a random choice
 * @param traceLines events kept for a failure's report
 * @param echo gets every event as it happens, or null
 */
record ClusterShape(
        String name,
        Servers servers,
        FaultKinds faults,
        String only,
        int traceLines,
        @Nullable Consumer<String> echo) {

    /** Makes a replica server for a host. */
    interface Servers {
        ReplicaServerPort make(SimHost host, String endpoint, SimRandom random);
    }

    /** Which faults a run may have. */
    enum FaultKinds {
        NONE,
        ALL
    }

    private static final int TRACE_LINES = 400;

    /** Real replica servers on simulated disks. */
    static ClusterShape real(FaultKinds faults) {
        return new ClusterShape("real", RealServer::new, faults, "", TRACE_LINES, null);
    }

    /** Models of replica servers: for the engine alone, and several times as fast. */
    static ClusterShape model(FaultKinds faults) {
        return new ClusterShape("model", SeedRunner.models(), faults, "", TRACE_LINES, null);
    }

    /** The shape with this name: {@code real} or {@code model}, with all faults, or with those kinds named behind a colon. */
    static ClusterShape named(String name) {
        String replicas = name.split(":", 2)[0];
        ClusterShape shape = switch (replicas) {
            case "real" -> real(FaultKinds.ALL);
            case "model" -> model(FaultKinds.ALL);
            default -> throw new IllegalArgumentException("longhorn.replicas is real or model, not " + name);
        };
        String kinds = name.substring(Math.min(name.length(), replicas.length() + 1));
        return new ClusterShape(name, shape.servers, shape.faults, kinds, TRACE_LINES, null);
    }

    ClusterShape echoing(Consumer<String> lines) {
        return new ClusterShape(name, servers, faults, only, traceLines, lines);
    }
}
