package io.longhorn;

import java.util.List;
import java.util.Objects;

/**
 * How a volume and its replicas are doing, at one moment.
 *
 * @param state the sum of it
 * @param replicasWanted how many replicas should be in sync
 * @param replicas each replica, also the absent ones
 */
public record VolumeHealth(HealthState state, int replicasWanted, List<ReplicaStatus> replicas) {

    public VolumeHealth {
        Objects.requireNonNull(state, "state");
        replicas = List.copyOf(replicas);
    }

    /** How many replicas are in sync. */
    public int replicasInSync() {
        return (int) replicas.stream()
                .filter(replica -> replica.state() == ReplicaState.IN_SYNC)
                .count();
    }
}
