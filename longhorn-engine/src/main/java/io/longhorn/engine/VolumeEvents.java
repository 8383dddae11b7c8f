package io.longhorn.engine;

import io.longhorn.EventSubscription;
import io.longhorn.HealthState;
import io.longhorn.VolumeEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes what happens to a volume on to its listeners. Listeners are told on the engine's loop. */
final class VolumeEvents implements EngineEvents {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeEvents.class);

    private final String volume;
    private final List<Consumer<? super VolumeEvent>> listeners = new CopyOnWriteArrayList<>();

    VolumeEvents(String volume) {
        this.volume = volume;
    }

    EventSubscription subscribe(Consumer<? super VolumeEvent> listener) {
        // A wrapper of its own, so that the same listener may subscribe twice and end each once.
        Consumer<VolumeEvent> own = listener::accept;
        listeners.add(own);
        return () -> listeners.remove(own);
    }

    void tell(VolumeEvent event) {
        for (Consumer<? super VolumeEvent> listener : listeners) {
            try {
                listener.accept(event);
            } catch (RuntimeException e) {
                LOG.warn("a listener failed: volume={} event={}", volume, event, e);
            }
        }
    }

    @Override
    public void healthChanged(HealthState before, HealthState after) {
        LOG.info("health changed: volume={} before={} after={}", volume, before, after);
        tell(new VolumeEvent.HealthChanged(volume, Instant.now(), before, after));
    }

    @Override
    public void replicaLost(ReplicaRecord replica, String reason) {
        tell(new VolumeEvent.ReplicaLost(volume, Instant.now(), replica.replicaId(), replica.endpoint(), reason));
    }

    @Override
    public void rebuildStarted(ReplicaRecord replica, long totalBytes) {
        tell(new VolumeEvent.RebuildStarted(
                volume, Instant.now(), replica.replicaId(), replica.endpoint(), totalBytes));
    }

    @Override
    public void rebuildProgress(ReplicaRecord replica, long doneBytes, long totalBytes) {
        tell(new VolumeEvent.RebuildProgress(
                volume, Instant.now(), replica.replicaId(), replica.endpoint(), doneBytes, totalBytes));
    }

    @Override
    public void rebuildEnded(ReplicaRecord replica, boolean inSync, long bytes, long tookNanos, String reason) {
        tell(new VolumeEvent.RebuildEnded(
                volume,
                Instant.now(),
                replica.replicaId(),
                replica.endpoint(),
                inSync,
                bytes,
                Duration.ofNanos(tookNanos),
                reason));
    }

    @Override
    public void blockRepaired(UUID replica, String location, long offsetBytes) {
        tell(new VolumeEvent.BlockRepaired(volume, Instant.now(), replica, location, offsetBytes));
    }

    @Override
    public void blockDamaged(long offsetBytes) {
        tell(new VolumeEvent.BlockDamaged(volume, Instant.now(), offsetBytes));
    }

    @Override
    public void fenced(long newerEpoch) {
        tell(new VolumeEvent.Fenced(volume, Instant.now(), newerEpoch));
    }
}
