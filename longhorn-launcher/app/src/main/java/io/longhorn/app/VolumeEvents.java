package io.longhorn.app;

import io.longhorn.EventSubscription;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Collects the events of one volume, so that a thread can wait for those it expects. */
public final class VolumeEvents implements AutoCloseable {

    private final String volume;
    private final LinkedBlockingQueue<VolumeEvent> events = new LinkedBlockingQueue<>();
    private final EventSubscription subscription;

    public VolumeEvents(Volume volume) {
        this.volume = volume.name();
        subscription = volume.subscribe(events::add);
    }

    /**
     * Takes events up to the one that is wanted, each of them only once.
     *
     * @param otherwise what to say of the volume if it does not come in time, such as "lost no replica"
     * @throws CommandFailure if it does not
     */
    public VolumeEvent await(Duration limit, String otherwise, Predicate<VolumeEvent> wanted)
            throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            VolumeEvent event = events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (event == null) {
                throw new CommandFailure("volume " + volume + " " + otherwise + " within " + limit.toSeconds() + " s");
            }
            if (wanted.test(event)) {
                return event;
            }
        }
    }

    /** Waits until a replica has left the view. */
    public VolumeEvent.ReplicaLost awaitLost(String location, Duration limit) throws InterruptedException {
        return (VolumeEvent.ReplicaLost) await(
                limit,
                "did not notice that replica " + location + " is gone",
                event -> event instanceof VolumeEvent.ReplicaLost lost
                        && lost.location().equals(location));
    }

    /** Waits until a replica is in sync again; attempts that failed before are passed over. */
    public VolumeEvent.RebuildEnded awaitInSync(String location, Duration limit) throws InterruptedException {
        return awaitInSync(location, limit, event -> {});
    }

    /**
     * As {@link #awaitInSync(String, Duration)}.
     *
     * @param passing gets every event up to that end
     */
    VolumeEvent.RebuildEnded awaitInSync(String location, Duration limit, Consumer<VolumeEvent> passing)
            throws InterruptedException {
        return (VolumeEvent.RebuildEnded) await(limit, "did not get replica " + location + " back in sync", event -> {
            passing.accept(event);
            return event instanceof VolumeEvent.RebuildEnded ended
                    && ended.location().equals(location)
                    && ended.inSync();
        });
    }

    /** Forgets what happened so far. */
    public void clear() {
        events.clear();
    }

    @Override
    public void close() {
        subscription.close();
    }
}
