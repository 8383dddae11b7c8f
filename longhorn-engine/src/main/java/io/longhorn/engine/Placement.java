package io.longhorn.engine;

import java.util.List;

/**
 * Where a volume's next replica goes, and the calls that make and delete one there: one replica per server, the servers in turn. The manager brings a better one. Blocking; not
 * on a loop.
 */
interface Placement {
    /** Endpoints for new replicas, best first, without those in {@code taken}. */
    List<String> candidates(List<String> taken);

    /** Whether the endpoints are names inside this process. */
    boolean isInProcess();

    /**
     * Has the server make an empty replica.
     *
     * @throws io.longhorn.ReplicaUnreachableException if it does not, with the reason
     */
    void makeReplica(VolumeRecord record, ReplicaRecord replica);

    /** Has the server delete the replica; where it cannot be reached the replica stays behind, and the log says so. */
    void deleteReplica(VolumeRecord record, ReplicaRecord replica);
}
