package io.longhorn.engine;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Fences every replica of a volume that can be reached, in the view or not, and collects what each holds. Loop only after the start. */
final class Survey implements ReplicaLink.Owner {
    private final CompletableFuture<Map<ReplicaRecord, Message.FenceOk>> result = new CompletableFuture<>();
    private final Map<ReplicaRecord, Message.FenceOk> found = new LinkedHashMap<>();
    private final List<ReplicaLink> links = new ArrayList<>();
    private final Set<ReplicaLink> heardOf = new HashSet<>();

    private Survey() {}

    /** What the replicas say that answer, under the record's epoch; ends when all did, or when those that did not have had their time. */
    static CompletionStage<Map<ReplicaRecord, Message.FenceOk>> of(
            Loop loop,
            Connection.Connector connector,
            Registry registry,
            EngineSettings settings,
            VolumeRecord record) {
        Survey survey = new Survey();
        loop.execute(() -> survey.start(loop, connector, registry, settings, record));
        return survey.result;
    }

    private void start(
            Loop loop,
            Connection.Connector connector,
            Registry registry,
            EngineSettings settings,
            VolumeRecord record) {
        ReplicaLink.Identity identity =
                new ReplicaLink.Identity(record.engineId(), registry.clusterId(), record.volumeId(), settings.token());
        for (ReplicaRecord replica : record.replicas()) {
            links.add(new ReplicaLink(loop, connector, this, identity, replica, settings.reconnectNanos()));
        }
        loop.schedule(settings.openingNanos(), this::over);
        List.copyOf(links).forEach(link -> link.start(record.epoch(), record.version()));
    }

    private void heard(ReplicaLink link) {
        heardOf.add(link);
        if (heardOf.size() == links.size()) {
            over();
        }
    }

    private void over() {
        if (!result.isDone()) {
            links.forEach(ReplicaLink::stop);
            result.complete(Map.copyOf(found));
        }
    }

    @Override
    public void onFenced(ReplicaLink link, Message.FenceOk state) {
        found.put(link.replica, state);
        heard(link);
    }

    @Override
    public void onRefused(ReplicaLink link, Message.Failure failure) {
        heard(link);
    }

    @Override
    public void onUnreachable(ReplicaLink link, String cause) {
        heard(link);
    }

    @Override
    public void onAcknowledged(ReplicaLink link) {}

    @Override
    public void onLost(ReplicaLink link, String cause) {}

    @Override
    public void onRecord(ReplicaLink link, ByteBuffer b, int at) {}

    @Override
    public void onDamage(ReplicaLink link, Message.Damage damage) {}
}
