package io.longhorn.app;

import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import java.time.Duration;
import java.util.Locale;

/** Follows the events of one volume and tells how a replica comes back. */
final class RebuildWatch implements AutoCloseable {

    private final Volume volume;
    private final Narrator narrator;
    private final VolumeEvents events;

    RebuildWatch(Volume volume, Narrator narrator) {
        this.volume = volume;
        this.narrator = narrator;
        events = new VolumeEvents(volume);
    }

    /** Waits until the volume has given up a replica, and tells the reason. */
    void awaitLost(String location, Duration limit) throws InterruptedException {
        VolumeEvent.ReplicaLost lost = events.awaitLost(location, limit);
        narrator.fact("volume %s goes on without %s: %s", volume.name(), location, lost.reason());
    }

    /** Waits until a replica is in sync again, telling the progress, and returns how it ended. */
    VolumeEvent.RebuildEnded awaitInSync(String location, Duration limit) throws InterruptedException {
        VolumeEvent.RebuildEnded ended = events.awaitInSync(location, limit, event -> tell(event, location));
        narrator.fact(
                "volume %s: %s is in sync again: %.1f MB in %.2f s",
                volume.name(),
                location,
                Narrator.megabytes(ended.transferredBytes()),
                Narrator.seconds(ended.took().toNanos()));
        return ended;
    }

    /** Waits until a block of a replica was repaired. */
    VolumeEvent.BlockRepaired awaitRepaired(Duration limit) throws InterruptedException {
        return (VolumeEvent.BlockRepaired) events.await(
                limit, "did not get the flipped byte repaired", event -> event instanceof VolumeEvent.BlockRepaired);
    }

    /** Forgets what happened so far. */
    void clear() {
        events.clear();
    }

    @Override
    public void close() {
        events.close();
    }

    private void tell(VolumeEvent event, String location) {
        if (event instanceof VolumeEvent.RebuildStarted started
                && started.location().equals(location)) {
            narrator.fact("volume %s: catch-up of %s begins", volume.name(), location);
        } else if (event instanceof VolumeEvent.RebuildProgress progress
                && progress.location().equals(location)) {
            // What a replica missed is found while it is sent, so there is not always a total.
            narrator.fact(
                    "volume %s: %.1f MB sent%s",
                    volume.name(),
                    Narrator.megabytes(progress.doneBytes()),
                    progress.totalBytes() > progress.doneBytes()
                            ? String.format(
                                    Locale.ROOT,
                                    " of %.1f, %.0f %%",
                                    Narrator.megabytes(progress.totalBytes()),
                                    100.0 * progress.doneBytes() / progress.totalBytes())
                            : "");
        } else if (event instanceof VolumeEvent.RebuildEnded ended
                && ended.location().equals(location)
                && !ended.inSync()) {
            narrator.fact("volume %s: that attempt failed: %s", volume.name(), ended.reason());
        }
    }
}
