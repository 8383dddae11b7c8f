package io.longhorn.engine;

import io.longhorn.HealthState;
import java.util.UUID;

/** What an engine tells whoever listens; called on the engine's loop, must not block. */
interface EngineEvents {
    void healthChanged(HealthState before, HealthState after);

    void replicaLost(ReplicaRecord replica, String reason);

    void rebuildStarted(ReplicaRecord replica, long totalBytes);

    void rebuildProgress(ReplicaRecord replica, long doneBytes, long totalBytes);

    void rebuildEnded(ReplicaRecord replica, boolean inSync, long transferredBytes, long tookNanos, String reason);

    void blockRepaired(UUID replica, String location, long offsetBytes);

    void blockDamaged(long offsetBytes);

    void fenced(long newerEpoch);
}
