package io.longhorn.app.bench;

import io.longhorn.Volume;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.VolumeEvents;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What a replica that was away under writes is sent when it returns, against the least that it has to be sent. */
final class CatchUp implements Measurement {

    private static final int DEPTH = 4;
    private static final int SERVER = 1;

    private final Duration absence;
    private final Figure blocks = new Figure("blocks that it missed, each counted once", "blocks");
    private final Figure ratio = new Figure("bytes sent per byte of those blocks", "ratio", "at most 1.3");
    private final Figure seconds = new Figure("until in sync", "s");

    /**
     * Keeps the proportions of a bench with its default settings, in which a server is away for ten seconds.
     *
     * @param stretch as long as a load runs
     */
    CatchUp(Duration stretch) {
        absence = stretch.multipliedBy(10).dividedBy(3);
    }

    @Override
    public String title() {
        return String.format(
                Locale.ROOT, "catch-up after %.1f s of 4k random writes, depth %d", absence.toMillis() / 1e3, DEPTH);
    }

    @Override
    public List<Figure> figures() {
        return List.of(blocks, ratio, seconds);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        Optional<ReplicaServers> servers = site.serversFor("catch-up after an absence");
        if (servers.isPresent()) {
            run(site, servers.get());
        }
    }

    private void run(BenchSite site, ReplicaServers servers) throws Exception {
        String location = servers.address(SERVER);
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            Volume volume = scratch.full(site.settings().sizeBytes());
            try (VolumeEvents events = new VolumeEvents(volume)) {
                servers.stop(SERVER);
                events.awaitLost(location, BenchSite.LIMIT);
                int missed = writeMeanwhile(volume);
                long sentBefore = volume.statistics().rebuiltBytes();
                servers.restart(SERVER);
                long begin = System.nanoTime();
                events.awaitInSync(location, BenchSite.LIMIT);
                seconds.add((System.nanoTime() - begin) / 1e9);
                blocks.add(missed);
                // Attempts that failed count too.
                long sent = volume.statistics().rebuiltBytes() - sentBefore;
                ratio.add(sent / ((double) missed * Volume.BLOCK_BYTES));
            }
        }
    }

    /** Returns how many blocks were written. Nothing is in flight any more then. */
    private int writeMeanwhile(Volume volume) throws InterruptedException {
        RunningWrites writes = RunningWrites.start(volume, DEPTH);
        try (writes) {
            Thread.sleep(absence.toMillis());
        }
        return writes.takeStretch().blocks();
    }
}
