package io.longhorn.simulator;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a cluster is made of.
 *
 * @param servers makes the replica servers
 * @param faults which faults there are
 * @param traceLines events kept for a failure's report
 * @param echo gets every event as it happens, or null
 */
record ClusterShape(
        Servers servers,
        FaultKinds faults,
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
}
