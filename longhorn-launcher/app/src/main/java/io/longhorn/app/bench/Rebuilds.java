package io.longhorn.app.bench;

import io.longhorn.ReplicaStatus;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.VolumeEvents;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.LongStream;

/** How fast replicas are brought in sync, without other load. */
final class Rebuilds implements Measurement {

    /** So many times the size of other volumes has the one that is rebuilt. */
    private static final int SIZES = 2;

    private static final long SCATTERED_BLOCKS_MAX = 100_000;
    private static final int SERVER = 1;
    /** One server has none yet. */
    private static final int REPLICAS_BEFORE = BenchSite.REPLICAS - 1;

    private final long sizeBytes;
    private final long scatteredBlocks;
    private final Figure sequential;
    private final Figure scattered;
    private final Figure away = new Figure("away and back, nothing missed: until in sync", "s");

    Rebuilds(long benchBytes) {
        sizeBytes = SIZES * benchBytes;
        scatteredBlocks = Math.min(SCATTERED_BLOCKS_MAX, sizeBytes / Volume.BLOCK_BYTES / 2);
        sequential = new Figure(
                String.format(Locale.ROOT, "from nothing, %,d MiB written in order", sizeBytes >> 20), "MB/s");
        scattered = new Figure(
                String.format(Locale.ROOT, "from nothing, %,d blocks, every other one", scatteredBlocks), "MB/s");
    }

    @Override
    public String title() {
        return "rebuild of a replica";
    }

    @Override
    public List<Figure> figures() {
        return List.of(sequential, scattered, away);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            Volume volume = scratch.empty(sizeBytes, REPLICAS_BEFORE);
            Fill.all(volume);
            site.settle(volume);
            sequential.add(megabytesPerSecond(addReplica(volume)));
            Optional<ReplicaServers> servers = site.serversFor("the return of a replica that missed nothing");
            if (servers.isPresent()) {
                away.add(secondsToReturn(servers.get(), volume));
            }
        }
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            Volume volume = scratch.empty(sizeBytes, REPLICAS_BEFORE);
            Fill.blocks(volume, LongStream.range(0, scatteredBlocks).map(number -> 2 * number));
            site.settle(volume);
            scattered.add(megabytesPerSecond(addReplica(volume)));
        }
    }

    /** On a server that has none. */
    private static VolumeEvent.RebuildEnded addReplica(Volume volume) throws InterruptedException {
        try (VolumeEvents events = new VolumeEvents(volume)) {
            ReplicaStatus added = volume.replicas().add();
            return events.awaitInSync(added.location(), BenchSite.LIMIT);
        }
    }

    /** From the moment when the server listens again. */
    private static double secondsToReturn(ReplicaServers servers, Volume volume) throws InterruptedException {
        String location = servers.address(SERVER);
        try (VolumeEvents events = new VolumeEvents(volume)) {
            servers.stop(SERVER);
            events.awaitLost(location, BenchSite.LIMIT);
            servers.restart(SERVER);
            long begin = System.nanoTime();
            events.awaitInSync(location, BenchSite.LIMIT);
            return (System.nanoTime() - begin) / 1e9;
        }
    }

    private static double megabytesPerSecond(VolumeEvent.RebuildEnded ended) {
        return ended.transferredBytes() / 1e6 / (ended.took().toNanos() / 1e9);
    }
}
