package io.longhorn.engine;

import io.longhorn.HostPort;
import io.longhorn.ReplicaNotFoundException;
import io.longhorn.ReplicaState;
import io.longhorn.ReplicaStatus;
import io.longhorn.Replicas;
import io.longhorn.TooFewReplicasException;
import io.longhorn.replica.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** The replicas of an open volume, changed by hand. Safe for any thread. */
final class EngineReplicas implements Replicas {
    private static final long POLL_NANOS = 10_000_000;

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

    @Override
    public ReplicaStatus add() {
        List<String> taken = list().stream().map(ReplicaStatus::location).toList();
        List<String> candidates = placement.candidates(taken);
        if (candidates.isEmpty()) {
            throw new TooFewReplicasException(volume.name(), taken.size() + 1, taken.size());
        }
        return addAt(candidates.get(0));
    }

    @Override
    public ReplicaStatus add(String server) {
        return addAt(HostPort.parse(server).toString());
    }

    private ReplicaStatus addAt(String endpoint) {
        return volume.await(
                Calls.<ReplicaStatus>onLoop(core.loop, result -> {
                    ReplicaRecord made = new ReplicaRecord(UUID.randomUUID(), endpoint);
                    core.keeperOrFail()
                            .change(
                                    record -> {
                                        List<ReplicaRecord> all = new ArrayList<>(record.replicas());
                                        all.add(made);
                                        return record.withReplicas(all, record.replicasWanted() + 1);
                                    },
                                    record -> {
                                        core.addLink(made, true);
                                        core.refreshHealth();
                                        result.complete(new ReplicaStatus(
                                                made.replicaId(), endpoint, ReplicaState.REBUILDING, 0, 0));
                                    });
                }),
                "add replica");
    }

    @Override
    public void remove(UUID id) {
        volume.await(Calls.<Void>onLoop(core.loop, result -> startRemoval(id, result)), "remove replica");
    }

    private void startRemoval(UUID id, CompletableFuture<Void> result) {
        ReplicaLink link = core.links.get(id);
        if (link == null) {
            throw new ReplicaNotFoundException(id, "volume " + volume.name());
        }
        if (core.record().replicas().size() == 1) {
            throw new TooFewReplicasException(volume.name(), 1, 0);
        }
        if (core.view.isMember(link)) {
            core.view.leave(link, "removed by hand");
            core.armTick();
        }
        finishRemoval(link, result);
    }

    private void finishRemoval(ReplicaLink link, CompletableFuture<Void> result) {
        if (result.isDone() || core.isOver()) {
            return;
        }
        if (core.view.isMember(link)) {
            core.loop.schedule(POLL_NANOS, () -> finishRemoval(link, result));
            return;
        }
        core.keeperOrFail()
                .change(
                        record -> {
                            List<ReplicaRecord> all = new ArrayList<>(record.replicas());
                            all.removeIf(r -> r.replicaId().equals(link.id()));
                            return record.withReplicas(all, Math.max(1, record.replicasWanted() - 1));
                        },
                        record -> {
                            if (link.isReady()) {
                                link.request(
                                        new Message.DeleteReplica(core.epoch(), record.volumeId(), link.id()),
                                        Replies.ignored());
                            }
                            core.loop.schedule(POLL_NANOS, () -> core.dropLink(link.id()));
                            core.refreshHealth();
                            result.complete(null);
                        });
    }
}
