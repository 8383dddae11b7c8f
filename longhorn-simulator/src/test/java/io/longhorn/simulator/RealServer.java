package io.longhorn.simulator;

import io.longhorn.replica.server.DiskSettings;
import io.longhorn.replica.server.ReplicaDisk;
import io.longhorn.replica.server.ReplicaHost;
import java.io.IOException;
import java.util.List;
import java.util.UUID;

/** The real replica server on a simulated disk. */
final class RealServer implements ReplicaServerPort {
    private static final long MILLI = 1_000_000L;

    private final SimHost host;
    private final SimDisk disk;
    private final String endpoint;
    private final DiskSettings settings;

    RealServer(SimHost host, String endpoint, SimRandom random) {
        this.host = host;
        this.endpoint = endpoint;
        this.disk = new SimDisk(host, endpoint.replace(":9500", "-disk"));
        disk.punches(!random.oneIn(5));
        // Small, so that segments are recycled and checkpoints meet everything else.
        settings = new DiskSettings(
                1 << 20,
                random.between(3, 6),
                random.between(64 << 10, 1 << 20),
                random.between(20, 2000) * MILLI,
                random.oneIn(3) ? 4096 : 1 << 20,
                random.between(2, 16),
                0,
                random.oneIn(4) ? 1 << 20 : 0);
    }

    @Override
    public SimProcess start(SimNetwork network) {
        SimProcess process = host.start(endpoint);
        SimLoop loop = process.newLoop("replicas");
        loop.execute(() -> {
            try {
                ReplicaDisk opened = ReplicaDisk.open(
                        disk.mount(process, loop), new SimWorker(loop, disk), loop, settings, host.bootId());
                network.listen(
                        loop,
                        endpoint,
                        new ReplicaHost(new UUID(3, endpoint.hashCode()), host.bootId(), "", List.of(opened)));
            } catch (IOException e) {
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

    SimDisk disk() {
        return disk;
    }
}
