package io.longhorn.simulator;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskDirectoryContract;

/** A simulated disk without faults does what a real one does. */
class SimDirectoryContractTest extends DiskDirectoryContract {
    private final SimHost host = new SimHost(new SimScheduler(7, new SimTrace(64)), "host");
    private final SimProcess process = host.start("process");
    private final DiskDirectory disk = new SimDisk(host, "disk").mount(process, process.newLoop("loop"));

    @Override
    protected DiskDirectory disk() {
        return disk;
    }
}
