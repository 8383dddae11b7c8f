package io.longhorn.simulator;

import io.longhorn.DiskFullException;
import io.longhorn.replica.DiskSettings;
import io.longhorn.replica.ReplicaDisk;
import io.longhorn.replica.ReplicaDoor;
import io.longhorn.replica.ReplicaHost;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The real replica server on a simulated disk. */
final class RealServer implements ReplicaServerPort {
    private final SimHost host;
    private final SimDisk disk;
    private final String endpoint;
    private final DiskSettings settings;
    private @Nullable ReplicaDisk running;

    RealServer(SimHost host, String endpoint, SimRandom random) {
        this.host = host;
        this.endpoint = endpoint;
        this.disk = new SimDisk(host, endpoint.replace(":9500", "-disk"));
        disk.punches(!random.oneIn(5));
        // Small, so that segments are recycled and checkpoints meet everything else.
        settings = DiskSettings.builder()
                .journal(1 << 20, random.between(4, 7))
                .checkpointBytes(random.between(64 << 10, 1 << 20))
                .checkpointPieceBlocks(random.between(1, 64))
                .checkpointQuiet(Duration.ofMillis(random.between(20, 2000)))
                .mapCacheBytes(random.oneIn(3) ? 4096 : 1 << 20)
                .resolvedCacheBytes(random.oneIn(3) ? 4096 : 1 << 20)
                .openFilesMax(random.between(2, 32))
                .reserveBytes(random.coin() ? 0 : 256 << 10)
                .scrubBytesPerSecond(random.oneIn(4) ? 1 << 20 : 0)
                .build();
    }

    @Override
    public SimProcess start(SimNetwork network) {
        SimProcess process = host.start(endpoint);
        SimLoop loop = process.newLoop("replicas");
        running = null;
        loop.execute(() -> {
            try {
                ReplicaDisk opened = ReplicaDisk.open(
                        disk.mount(process, loop), new SimWorker(loop, disk), loop, settings, host.bootId());
                running = opened;
                network.listen(
                        loop,
                        endpoint,
                        new ReplicaHost(new UUID(3, endpoint.hashCode()), host.bootId(), "", List.of(opened)));
            } catch (IOException | DiskFullException e) {
                host.scheduler().note(process.name(), "disk does not open: " + e.getMessage(), 0, 0);
                process.kill();
                throw new SimCrash("disk does not open");
            }
        });
        return process;
    }

    @Override
    public void losePower() {
        // The host's disks forget by themselves.
    }

    @Override
    public void wipe() {
        disk.erase();
    }

    @Override
    public SimDisk files() {
        return disk;
    }

    @Override
    public boolean gaveUp() {
        ReplicaDisk opened = running;
        return opened != null && ReplicaDoor.hasFailed(opened);
    }
}
