package io.longhorn.app.bench;

import io.longhorn.Durability;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.app.ScratchDirectory;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.device.KernelDeviceSettings;
import io.longhorn.frontend.device.KernelDevices;
import io.longhorn.frontend.iscsi.IscsiPortal;
import io.longhorn.frontend.iscsi.IscsiSettings;
import io.longhorn.frontend.iscsi.IscsiTargetSpec;
import io.longhorn.frontend.nbd.NbdServer;
import io.longhorn.frontend.nbd.NbdSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * Frontends under clients that others wrote, beside servers that others wrote, with the same client in the same run: what a volume loses when it is used through one. The volume
 * has three replicas in processes of their own; the frontends run in this process, and each load until it gets no faster before it is measured. Programs that are not installed end the bench with the
 * package to install.
 */
final class FrontendSpeed implements Measurement {
    private static final int DEEP = 32;
    private static final int BLOCK_SECTORS = Volume.BLOCK_BYTES / 512;
    private static final long CACHED_BYTES_MAX = 64L << 20;
    /** The cache, in such volumes. */
    private static final int CACHE_SIZES = 16;

    /** Ours and what it is held against are measured by turns, because a moment of the machine may be worth more than the difference. */
    private static final int TURNS = 5;

    private static final int QEMU_WRITES = 40_000;
    /** Far enough that one write is not beside the last. */
    private static final long QEMU_STEP_BYTES = (1L << 20) + 4096;

    private static final IscsiSettings ISCSI =
            IscsiSettings.builder().listen(new HostPort("127.0.0.1", 0)).build();

    private static final BenchLoad WRITE_1 = new BenchLoad("write", true, true, 4096, 1, Durability.ON_FLUSH);
    private static final BenchLoad WRITE_32 = new BenchLoad("write", true, true, 4096, DEEP, Durability.ON_FLUSH);
    private static final BenchLoad COPY_IN = new BenchLoad("copy in", true, false, 128 << 10, 8, Durability.ON_FLUSH);
    private static final BenchLoad COPY_OUT =
            new BenchLoad("copy out", false, false, 128 << 10, 8, Durability.ON_FLUSH);

    private final long sizeBytes;
    private final Duration duration;

    private final Figure library1 = new Figure("library, 4k random write, depth 1", "us");
    private final Figure null1 = new Figure("nbdkit null, the same, over a Unix socket", "us");
    private final Figure nbd1 = new Figure("NBD, the same", "us", "library + 1.3 x nbdkit null");
    private final Figure library32 = new Figure("library, 4k random write, depth 32", "1/s");
    private final Figure null32 = new Figure("nbdkit null, the same, over a Unix socket", "1/s");
    private final Figure nbd32 = new Figure("NBD, the same", "1/s", "0.8 of the library");
    private final Figure memory32 = new Figure("nbdkit memory, 4k random read, depth 32", "1/s");
    private final Figure cached32 = new Figure("NBD, the same of cached data", "1/s", "0.7 of nbdkit memory");
    private final Figure libraryIn = new Figure("library, 128k sequential write, depth 8", "MB/s");
    private final Figure copyIn = new Figure("nbdcopy into the volume", "MB/s", "0.8 of the library");
    private final Figure libraryOut = new Figure("library, 128k sequential read, depth 8", "MB/s");
    private final Figure memoryOut = new Figure("nbdcopy out of nbdkit memory", "MB/s");
    private final Figure copyOut = new Figure("nbdcopy out of the volume", "MB/s", "0.8 of the library");
    private final Figure tgtRead = new Figure("tgt on a file, 4k random read, depth 32, iscsi-perf", "1/s");
    private final Figure iscsiRead = new Figure("iSCSI, the same", "1/s", "1.5 x tgt");
    private final Figure tgtCached = new Figure("tgt on a file of the cached size, the same", "1/s");
    private final Figure iscsiCached = new Figure("iSCSI, the same of cached data", "1/s", "1.5 x tgt");
    private final Figure nbdQemu = new Figure("NBD, 4k spread write, depth 32, qemu-img bench", "1/s");
    private final Figure iscsiQemu = new Figure("iSCSI, the same", "1/s", "0.7 of NBD");
    private final Figure fileDevice = new Figure("nbdkit file, nbdfuse, loop: 4k random write, depth 32", "1/s");
    private final Figure device = new Figure("kernel device, the same", "1/s", "a third of it");

    FrontendSpeed(long benchBytes, Duration duration) {
        sizeBytes = benchBytes;
        this.duration = duration;
    }

    @Override
    public String title() {
        return "frontends, a volume of " + (sizeBytes >> 20) + " MiB";
    }

    @Override
    public List<Figure> figures() {
        return List.of(
                library1,
                null1,
                nbd1,
                library32,
                null32,
                nbd32,
                memory32,
                cached32,
                libraryIn,
                copyIn,
                libraryOut,
                memoryOut,
                copyOut,
                tgtRead,
                iscsiRead,
                tgtCached,
                iscsiCached,
                nbdQemu,
                iscsiQemu,
                fileDevice,
                device);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        Path scratch = Files.createTempDirectory(site.settings().directory(), "frontends-");
        ClientTools tools = new ClientTools(scratch);
        Baselines baselines = new Baselines(scratch);
        try (ScratchVolumes volumes = new ScratchVolumes(site)) {
            Volume volume = volumes.filled(site.longhorn(), sizeBytes, Durability.ON_FLUSH);
            site.settle(volume);
            library(site, volume);
            BlockDevice served = BlockDevice.of(volume);
            nbd(site, tools, baselines, volume, served);
            iscsi(site, tools, baselines, served);
            kernelDevice(site, tools, baselines, served);
        }
        cached(site, tools, baselines);
        ScratchDirectory.delete(scratch);
    }

    private void library(BenchSite site, Volume volume) throws Exception {
        warm(site, volume, WRITE_1);
        warm(site, volume, WRITE_32);
        warm(site, volume, COPY_IN);
        libraryIn.add(library(site, volume, COPY_IN).megabytesPerSecond());
        warm(site, volume, COPY_OUT);
        libraryOut.add(library(site, volume, COPY_OUT).megabytesPerSecond());
    }

    private void warm(BenchSite site, Volume volume, BenchLoad load) throws Exception {
        Warmth.reach(() -> new ClosedLoop(volume, load, sizeBytes, 1)
                .run(duration.dividedBy(2), site.cpu())
                .iops());
    }

    private BenchFigures library(BenchSite site, Volume volume, BenchLoad load) throws Exception {
        return new ClosedLoop(volume, load, sizeBytes, 2).run(duration, site.cpu());
    }

    private void nbd(BenchSite site, ClientTools tools, Baselines baselines, Volume volume, BlockDevice served)
            throws Exception {
        Path socket = baselines.scratch().resolve("nbd.sock");
        try (NbdServer server =
                NbdServer.start(NbdSettings.builder().listen(socket).build())) {
            server.serve(served, "bench");
            String uri = server.uri(served.name());
            Warmth.reach(() -> tools.nbd(uri, true, DEEP, duration).iops());
            site.awaitQuiet();
            Warmth.reach(() -> tools.nbd(uri, true, 1, duration).iops());
            try (Baselines.Server nothing = baselines.nbdkit("null", Long.toString(sizeBytes))) {
                for (int i = 0; i < TURNS; i++) {
                    site.awaitQuiet();
                    null1.add(tools.nbd(nothing.uri(), true, 1, duration).meanMicros());
                    library1.add(library(site, volume, WRITE_1).meanMicros());
                    site.awaitQuiet();
                    nbd1.add(tools.nbd(uri, true, 1, duration).meanMicros());
                }
                for (int i = 0; i < TURNS; i++) {
                    site.awaitQuiet();
                    null32.add(tools.nbd(nothing.uri(), true, DEEP, duration).iops());
                    library32.add(library(site, volume, WRITE_32).iops());
                    site.awaitQuiet();
                    nbd32.add(tools.nbd(uri, true, DEEP, duration).iops());
                }
            }
            site.awaitQuiet();
            add(nbdQemu, () -> {
                site.awaitQuiet();
                return tools.qemuWrites(uri, QEMU_WRITES, QEMU_STEP_BYTES);
            });
            site.awaitQuiet();
            Path image = baselines.image(sizeBytes);
            add(copyIn, () -> {
                site.awaitQuiet();
                return copied(tools, image.toString(), uri);
            });
            site.awaitQuiet();
            add(copyOut, () -> copied(tools, uri, "null:"));
            try (Baselines.Server memory = baselines.nbdkit("memory", Long.toString(sizeBytes))) {
                double unusedIn = copied(tools, image.toString(), memory.uri());
                memoryOut.add(copied(tools, memory.uri(), "null:"));
            }
            Files.delete(image);
        }
    }

    /** Measures a load that is warm. */
    private static void add(Figure figure, Callable<Double> load) throws Exception {
        Warmth.reach(load);
        figure.add(load.call());
    }

    /** In MB/s. */
    private double copied(ClientTools tools, String from, String to) throws InterruptedException {
        return sizeBytes / 1e6 / tools.nbdcopySeconds(from, to);
    }

    private void iscsi(BenchSite site, ClientTools tools, Baselines baselines, BlockDevice served) throws Exception {
        try (IscsiPortal portal = IscsiPortal.start(ISCSI)) {
            String uri = serve(portal, served);
            iscsiReads(tools, baselines, uri, sizeBytes, tgtRead, iscsiRead);
            site.awaitQuiet();
            add(iscsiQemu, () -> {
                site.awaitQuiet();
                return tools.qemuWrites(uri, QEMU_WRITES, QEMU_STEP_BYTES);
            });
            site.awaitQuiet();
        }
    }

    private static String serve(IscsiPortal portal, BlockDevice served) {
        String iqn = "iqn.2026-01.io.longhorn:" + served.name();
        portal.serve(IscsiTargetSpec.of(iqn, served).build());
        return portal.uri(iqn).orElseThrow();
    }

    /** Ours and tgt's, which has a file of that size. */
    private void iscsiReads(
            ClientTools tools, Baselines baselines, String uri, long bytes, Figure tgtFigure, Figure ours)
            throws Exception {
        Warmth.reach(() -> tools.iscsiReads(uri, BLOCK_SECTORS, duration));
        try (Baselines.Server tgt = baselines.tgt(bytes)) {
            for (int i = 0; i < TURNS; i++) {
                tgtFigure.add(tools.iscsiReads(tgt.uri(), BLOCK_SECTORS, duration));
                ours.add(tools.iscsiReads(uri, BLOCK_SECTORS, duration));
            }
        }
    }

    private void kernelDevice(BenchSite site, ClientTools tools, Baselines baselines, BlockDevice served)
            throws Exception {
        try (Baselines.Server file = baselines.fileDevice(sizeBytes)) {
            fileDevice.add(
                    tools.device(Path.of(file.uri()), true, DEEP, duration).iops());
        }
        try (KernelDevices devices = KernelDevices.open(
                KernelDeviceSettings.builder(baselines.scratch().resolve("devices"))
                        .build())) {
            Path path = devices.attach(served);
            add(device, () -> tools.device(path, true, DEEP, duration).iops());
            devices.detach(served.name());
        }
        site.awaitQuiet();
    }

    /** All that is read is in the cache: it is much larger, since sets of it may be full while others are empty. */
    private void cached(BenchSite site, ClientTools tools, Baselines baselines) throws Exception {
        long cachedBytes = Math.min(sizeBytes, CACHED_BYTES_MAX);
        try (Longhorn caching = site.connect(CACHE_SIZES * cachedBytes)) {
            String name = site.newName();
            try (Volume volume = caching.create(
                            VolumeSpec.named(name).sizeBytes(cachedBytes).build());
                    NbdServer server = NbdServer.start(NbdSettings.builder()
                            .listen(baselines.scratch().resolve("cached.sock"))
                            .build());
                    IscsiPortal portal = IscsiPortal.start(ISCSI)) {
                Fill.all(volume);
                Fill.read(volume);
                BlockDevice served = BlockDevice.of(volume);
                server.serve(served, "bench");
                try (Baselines.Server memory = baselines.nbdkit("memory", Long.toString(cachedBytes))) {
                    memory32.add(tools.nbd(memory.uri(), false, DEEP, duration).iops());
                }
                add(
                        cached32,
                        () -> tools.nbd(server.uri(name), false, DEEP, duration).iops());
                iscsiReads(tools, baselines, serve(portal, served), cachedBytes, tgtCached, iscsiCached);
            }
            caching.delete(name);
        }
        site.awaitQuiet();
    }
}
