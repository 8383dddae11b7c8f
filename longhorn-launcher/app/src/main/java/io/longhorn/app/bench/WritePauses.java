package io.longhorn.app.bench;

import io.longhorn.Volume;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.VolumeEvents;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How long writes stand still when something happens to their volume: the longest time between completions in a stretch
 * with an event, against that in an equally long stretch just before it, which the machine itself accounts for.
 */
final class WritePauses implements Measurement {

    private static final int DEPTH = 4;
    private static final int SERVER = 1;

    private final Pause snapshot = new Pause("snapshot taken", "2 ms");
    private final Pause killed = new Pause("server killed", "30 ms");
    private final Pause suspended = new Pause("server stopped by SIGSTOP", "1,000 ms");

    /** The figures of one event. */
    private static final class Pause {

        private final Figure quiet;
        private final Figure during;
        private final Figure beyond;

        Pause(String event, String target) {
            quiet = new Figure("quiet, before: " + event, "ms");
            during = new Figure(event, "ms");
            beyond = new Figure(event + ", beyond the quiet stretch", "ms", "at most " + target);
        }

        Stream<Figure> figures() {
            return Stream.of(quiet, during, beyond);
        }

        void add(long quietNanos, long duringNanos) {
            quiet.add(quietNanos / 1e6);
            during.add(duringNanos / 1e6);
            beyond.add((duringNanos - quietNanos) / 1e6);
        }
    }

    @FunctionalInterface
    private interface Event {
        void happen() throws Exception;
    }

    @Override
    public String title() {
        return "longest pause of 4k random writes, depth " + DEPTH;
    }

    @Override
    public List<Figure> figures() {
        return Stream.of(snapshot, killed, suspended).flatMap(Pause::figures).toList();
    }

    @Override
    public void run(BenchSite site) throws Exception {
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            Volume volume = scratch.full(site.settings().sizeBytes());
            Duration stretch = site.settings().duration();
            measure(snapshot, volume, stretch, () -> volume.snapshot("during-writes"));
            Optional<ReplicaServers> servers = site.serversFor("pauses of writes when a server dies or hangs");
            if (servers.isPresent()) {
                kill(servers.get(), volume, stretch);
                suspend(servers.get(), volume, stretch);
            }
        }
    }

    private void kill(ReplicaServers servers, Volume volume, Duration stretch) throws Exception {
        String location = servers.address(SERVER);
        try (VolumeEvents events = new VolumeEvents(volume)) {
            measure(killed, volume, stretch, () -> {
                servers.kill(SERVER);
                events.awaitLost(location, BenchSite.LIMIT);
            });
            servers.restart(SERVER);
            events.awaitInSync(location, BenchSite.LIMIT);
        }
    }

    private void suspend(ReplicaServers servers, Volume volume, Duration stretch) throws Exception {
        String location = servers.address(SERVER);
        try (VolumeEvents events = new VolumeEvents(volume)) {
            measure(suspended, volume, stretch, () -> {
                servers.suspend(SERVER);
                events.awaitLost(location, BenchSite.LIMIT);
            });
            servers.resume(SERVER);
            events.awaitInSync(location, BenchSite.LIMIT);
        }
    }

    /** An event that takes longer than a stretch makes it longer. Writes end with it, so that the volume can recover. */
    private static void measure(Pause pause, Volume volume, Duration stretch, Event event) throws Exception {
        try (RunningWrites writes = RunningWrites.start(volume, DEPTH)) {
            // Not measured: the first writes of a volume are slower.
            Thread.sleep(stretch.toMillis());
            RunningWrites.Stretch unused = writes.takeStretchToNextCompletion();
            Thread.sleep(stretch.toMillis());
            RunningWrites.Stretch quiet = writes.takeStretchToNextCompletion();
            event.happen();
            Thread.sleep(Math.max(1, stretch.toMillis() - writes.stretchMillis()));
            // The server may be known to be lost before what was in flight has gone on.
            RunningWrites.Stretch during = writes.takeStretchToNextCompletion();
            pause.add(quiet.longestPauseNanos(), during.longestPauseNanos());
        }
    }
}
