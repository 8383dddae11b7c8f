package io.longhorn.simulator;

/**
 * What a cluster is made of.
 *
 * @param servers makes the replica servers
 * @param faults which faults there are
 * @param traceLines events kept for a failure's report
 */
record ClusterShape(Servers servers, FaultKinds faults, int traceLines) {

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
