package io.longhorn.replica;

import io.longhorn.replica.wire.Message;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The replicas of a disk, and what other loops may know of them. Changed on the disk's loop. */
final class HostedReplicas {
    private final Map<UUID, ReplicaState> replicas = new HashMap<>();
    private final Map<UUID, Message.ReplicaInfo> published = new ConcurrentHashMap<>();

    void add(ReplicaState replica) {
        replicas.put(replica.replicaId(), replica);
        publish(replica);
    }

    void remove(ReplicaState replica) {
        replicas.remove(replica.replicaId());
        published.remove(replica.replicaId());
    }

    /** Lets other loops know. */
    void publish(ReplicaState replica) {
        ReplicaMeta now = replica.meta();
        published.put(
                now.replicaId(),
                new Message.ReplicaInfo(
                        now.volumeId(),
                        now.volumeName(),
                        now.replicaId(),
                        now.promised().epoch(),
                        replica.sizeBytes()));
    }

    /** The replica with that id, or null. Loop only. */
    @Nullable
    ReplicaState find(UUID replicaId) {
        return replicas.get(replicaId);
    }

    /** Loop only. */
    Collection<ReplicaState> all() {
        return replicas.values();
    }

    /** Whether a replica with that id is here. Any thread. */
    boolean hosts(UUID replicaId) {
        return published.containsKey(replicaId);
    }

    /** Any thread. */
    Collection<Message.ReplicaInfo> published() {
        return published.values();
    }
}
