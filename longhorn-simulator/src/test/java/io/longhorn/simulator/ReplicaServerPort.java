package io.longhorn.simulator;

import org.jspecify.annotations.Nullable;

/** A replica server on a host, as a cluster starts and breaks it: the real one or the model of one. */
interface ReplicaServerPort {
    /** Starts its process on the host, which is up. */
    SimProcess start(SimNetwork network);

    /** What the host's power loss does to it beyond what its disk forgets. */
    void losePower();

    /** The disk is replaced by an empty one; the process does not run. */
    void wipe();

    /** The disk it keeps its files on; null for a model. */
    default @Nullable SimDisk files() {
        return null;
    }

    /** Whether it gave its disk up and serves nobody until it is started again. */
    default boolean gaveUp() {
        return false;
    }
}
