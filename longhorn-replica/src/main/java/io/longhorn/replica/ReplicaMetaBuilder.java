package io.longhorn.replica;

import io.longhorn.replica.wire.Message;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A {@link ReplicaMeta} with some fields changed. What identifies the replica stays; its volume may be renamed. */
final class ReplicaMetaBuilder {
    private final ReplicaMeta from;
    private String volumeName;
    private UUID clusterId;
    private long sizeBytes;
    private ReplicaMeta.Promise promised;
    private long checkpointedSequence;
    private long committedSequence;
    private long certainSequence;
    private boolean damaged;
    private ReplicaMeta.@Nullable Mixed mixed;
    private List<Message.EpochStart> history;
    private List<Message.Layer> layers;

    ReplicaMetaBuilder(ReplicaMeta from) {
        this.from = from;
        volumeName = from.volumeName();
        clusterId = from.clusterId();
        sizeBytes = from.sizeBytes();
        promised = from.promised();
        checkpointedSequence = from.checkpointedSequence();
        committedSequence = from.committedSequence();
        certainSequence = from.certainSequence();
        damaged = from.damaged();
        mixed = from.mixed();
        history = from.history();
        layers = from.layers();
    }

    ReplicaMetaBuilder volumeName(String volumeName) {
        this.volumeName = volumeName;
        return this;
    }

    ReplicaMetaBuilder clusterId(UUID clusterId) {
        this.clusterId = clusterId;
        return this;
    }

    ReplicaMetaBuilder sizeBytes(long sizeBytes) {
        this.sizeBytes = sizeBytes;
        return this;
    }

    ReplicaMetaBuilder promised(long epoch, UUID engineId, long recordVersion) {
        this.promised = new ReplicaMeta.Promise(epoch, engineId, recordVersion);
        return this;
    }

    ReplicaMetaBuilder checkpointedSequence(long sequence) {
        this.checkpointedSequence = sequence;
        return this;
    }

    ReplicaMetaBuilder committedSequence(long sequence) {
        this.committedSequence = sequence;
        return this;
    }

    /** {@link ReplicaMeta#CERTAIN}: not uncertain. */
    ReplicaMetaBuilder certainSequence(long sequence) {
        this.certainSequence = sequence;
        return this;
    }

    ReplicaMetaBuilder damaged(boolean damaged) {
        this.damaged = damaged;
        return this;
    }

    ReplicaMetaBuilder mixed(ReplicaMeta.@Nullable Mixed mixed) {
        this.mixed = mixed;
        return this;
    }

    ReplicaMetaBuilder history(List<Message.EpochStart> history) {
        this.history = history;
        return this;
    }

    ReplicaMetaBuilder layers(List<Message.Layer> layers) {
        this.layers = layers;
        return this;
    }

    ReplicaMeta build() {
        return new ReplicaMeta(
                from.replicaId(),
                from.slot(),
                from.volumeId(),
                volumeName,
                clusterId,
                sizeBytes,
                promised,
                checkpointedSequence,
                committedSequence,
                certainSequence,
                damaged,
                mixed,
                history,
                layers);
    }
}
