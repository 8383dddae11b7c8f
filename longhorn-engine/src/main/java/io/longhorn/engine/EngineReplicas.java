package io.longhorn.engine;

import io.longhorn.HostPort;
import io.longhorn.ReplicaNotFoundException;
import io.longhorn.ReplicaState;
import io.longhorn.ReplicaStatus;
import io.longhorn.ReplicaUnreachableException;
import io.longhorn.Replicas;
import io.longhorn.TooFewReplicasException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** The replicas of an open volume as a program sees and changes them. */
final class EngineReplicas implements Replicas {
    private static final long POLL_NANOS = 5_000_000;

    private final EngineVolume volume;
    private final EngineCore core;
    private final Placement placement;

    EngineReplicas(EngineVolume volume, Placement placement) {
        this.volume = volume;
        this.core = volume.core();
        this.placement = placement;
    }

    @Override
    public List<ReplicaStatus> list() {
        return volume.health().replicas();
    }

    @Override
    public int wanted() {
        return volume.health().replicasWanted();
    }

    private List<String> taken() {
        return list().stream().map(ReplicaStatus::location).toList();
    }

    @Override
    public ReplicaStatus add() {
        TooFewReplicasException tooFew = new TooFewReplicasException(volume.name(), taken().size() + 1, taken().size());
        for (String endpoint : placement.candidates(taken())) {
            try {
                return addAt(endpoint);
            } catch (ReplicaUnreachableException e) {
                tooFew.addSuppressed(e);
            }
        }
        throw tooFew;
    }

    @Override
    public ReplicaStatus add(String server) {
        if (placement.isInProcess()) {
            throw new UnsupportedOperationException("the replicas of an embedded volume live in this process");
        }
        String endpoint = HostPort.parse(server).toString();
        if (taken().contains(endpoint)) {
            throw new IllegalArgumentException(
                    "replica server " + endpoint + " has a replica of volume " + volume.name() + " already");
        }
        return addAt(endpoint);
    }

    private ReplicaStatus addAt(String endpoint) {
        ReplicaRecord made = new ReplicaRecord(UUID.randomUUID(), endpoint);
        VolumeRecord record =
                volume.await(core.<VolumeRecord>call(result -> result.complete(core.record())), "add replica");
        placement.makeReplica(record, made);
        return volume.await(
                core.<ReplicaStatus>call(result -> core.keeperOrFail().change(now -> with(now, made), now -> {
                    core.addLink(made, true);
                    core.refreshHealth();
                    awaitBeginning(made, result);
                })),
                "add replica");
    }

    private static VolumeRecord with(VolumeRecord record, ReplicaRecord made) {
        if (record.replicas().contains(made)) {
            return record;
        }
        List<ReplicaRecord> all = new ArrayList<>(record.replicas());
        all.add(made);
        return record.withReplicas(all, record.replicasWanted() + 1);
    }

    /** Tells when it takes new writes. Loop only. */
    private void awaitBeginning(ReplicaRecord made, CompletableFuture<ReplicaStatus> result) {
        ReplicaLink link = core.links.get(made.replicaId());
        if (link == null || core.isOver()) {
            result.completeExceptionally(new ReplicaNotFoundException(made.replicaId(), "volume " + volume.name()));
            return;
        }
        boolean inSync = core.view.isInSync(link);
        if (inSync || link.takesRecords) {
            ReplicaState state = inSync ? ReplicaState.IN_SYNC : ReplicaState.REBUILDING;
            result.complete(new ReplicaStatus(made.replicaId(), made.endpoint(), state, 0, 0));
        } else if (!result.isDone()) {
            core.loop.schedule(POLL_NANOS, () -> awaitBeginning(made, result));
        }
    }

    @Override
    public void remove(UUID id) {
        ReplicaRecord removed =
                volume.await(core.<ReplicaRecord>call(result -> startRemoval(id, result)), "remove replica");
        VolumeRecord record =
                volume.await(core.<VolumeRecord>call(result -> result.complete(core.record())), "remove replica");
        placement.deleteReplica(record, removed);
    }

    private void startRemoval(UUID id, CompletableFuture<ReplicaRecord> result) {
        ReplicaLink link = core.links.get(id);
        if (link == null) {
            throw new ReplicaNotFoundException(id, "volume " + volume.name());
        }
        if (core.view.isMember(link)) {
            int left = core.view.inSync() - (core.view.isInSync(link) ? 1 : 0);
            int needed = Math.max(1, core.record().minInSync());
            if (left < needed) {
                throw new TooFewReplicasException(volume.name(), needed, left);
            }
            core.view.leave(link, "removed by hand");
            core.armTick();
        }
        finishRemoval(link, result);
    }

    private void finishRemoval(ReplicaLink link, CompletableFuture<ReplicaRecord> result) {
        if (result.isDone() || core.isOver()) {
            return;
        }
        if (core.view.isMember(link)) {
            core.loop.schedule(POLL_NANOS, () -> finishRemoval(link, result));
            return;
        }
        core.keeperOrFail().change(record -> without(record, link.id()), record -> {
            core.dropLink(link.id());
            core.refreshHealth();
            result.complete(link.replica);
        });
    }

    private static VolumeRecord without(VolumeRecord record, UUID id) {
        List<ReplicaRecord> all = new ArrayList<>(record.replicas());
        return all.removeIf(r -> r.replicaId().equals(id))
                ? record.withReplicas(all, Math.max(1, record.replicasWanted() - 1))
                : record;
    }
}
