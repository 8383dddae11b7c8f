package io.longhorn;

import java.util.List;
import java.util.UUID;

/**
 * The replicas of an open volume, and how to add and remove them by hand. A lost replica that returns, with its data or
 * with an empty disk, is rebuilt without being asked; nothing here is needed for that.
 */
public interface Replicas {

    /** Each replica, also the absent ones. */
    List<ReplicaStatus> list();

    /** How many replicas should be in sync: the spec's number, plus those added, less those removed. */
    int wanted();

    /**
     * Adds a replica on a server that has none of this volume yet, chosen in turn. Returns when the replica takes new
     * writes and its rebuild has begun; {@link VolumeEvent.RebuildEnded}, {@link Volume#awaitHealthy} and {@link #list()}
     * tell when it is in sync.
     *
     * @throws TooFewReplicasException if no server without a replica of this volume can be reached
     */
    ReplicaStatus add();

    /**
     * Adds a replica on the named server. See {@link #add()}.
     *
     * @param server {@code host:port} of a replica server, also one that the configuration does not name
     * @throws IllegalArgumentException if that is no address, or the server has a replica of this volume
     * @throws ReplicaUnreachableException if the server cannot be reached
     * @throws UnsupportedOperationException if the replicas live in this process ({@link Longhorn#embedded})
     */
    ReplicaStatus add(String server);

    /**
     * Removes a replica and deletes its data, at once or when it returns. Running reads and writes go on.
     *
     * @param id from {@link ReplicaStatus#id()}
     * @throws ReplicaNotFoundException if the volume has no such replica
     * @throws TooFewReplicasException if fewer replicas than {@link VolumeSpec#minInSync()} would stay in sync
     */
    void remove(UUID id);
}
