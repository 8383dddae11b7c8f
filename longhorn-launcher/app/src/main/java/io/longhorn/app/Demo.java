package io.longhorn.app;

import io.longhorn.Backup;
import io.longhorn.HealthState;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeLimits;
import io.longhorn.VolumeSpec;
import io.longhorn.VolumeStatistics;
import io.longhorn.replica.DiskCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The story that {@code longhorn demo} tells: a volume with three replicas goes through all that can happen to it, and
 * proves in the end that every byte is right. Anything that is not as it should be ends it with a {@link CommandFailure}.
 */
final class Demo {

    private static final int SERVERS = 3;
    private static final long CONTENT_BYTES = 200L << 20;
    private static final long IMAGE_BYTES = 320L << 20;
    private static final long LEDGER_BYTES = 32L << 20;
    private static final long SCRIBBLE_BYTES = 48L << 20;
    private static final int SCRIBBLE_CHUNK_BYTES = 256 << 10;
    private static final int SCRIBBLE_DEPTH = 8;
    /** Slow enough that there is time to break things in the middle. */
    private static final long IMPORT_BYTES_PER_SECOND = 40L << 20;

    private static final Duration STEP_LIMIT = Duration.ofSeconds(90);

    private final Narrator narrator;
    private final CleanUp cleanUp;
    private final Path directory;
    private final ExternalTool mke2fs = ExternalTool.require("mke2fs", "e2fsprogs");
    private final ExternalTool e2fsck = ExternalTool.require("e2fsck", "e2fsprogs");

    Demo(Console console, CleanUp cleanUp, Path directory) {
        narrator = new Narrator(console);
        this.cleanUp = cleanUp;
        this.directory = directory;
    }

    void run() throws Exception {
        ReplicaServers servers = startServers();
        FileSystemImage image = buildImage();
        String imageSha = FileSystemImage.sha256(image.file());
        narrator.fact("SHA-256 %s", imageSha);

        Longhorn longhorn = cleanUp.add(Longhorn.connect(config(servers)));
        Volume volume = longhorn.create(
                VolumeSpec.named("files").sizeBytes(image.sizeBytes()).build());
        Volume ledger = longhorn.create(
                VolumeSpec.named("ledger").sizeBytes(LEDGER_BYTES).build());
        RebuildWatch watch = cleanUp.add(new RebuildWatch(volume, narrator));
        RebuildWatch ledgerWatch = cleanUp.add(new RebuildWatch(ledger, narrator));
        SecondWriter writer = cleanUp.add(SecondWriter.start(ledger, System.nanoTime()));

        List<RebuildWatch> watches = List.of(watch, ledgerWatch);
        importWhileKilling(servers, volume, image, writer, watches);
        catchUp(servers, 1, writer, watches);
        Snapshot imported = volume.snapshot("imported");
        requireHealthy(volume);
        proveSnapshot(imported, imageSha);
        rebuildFromNothing(servers, 2, writer, watches);
        giveSpaceBack(servers, volume);
        revertAndProve(volume, imported, imageSha);
        backUpAndRestore(longhorn, volume, imported, imageSha);
        repairFlippedBit(servers, volume, image, watch);
        end(servers, longhorn, writer);
        narrator.fact("done in %.0f s: every byte is right", narrator.elapsedSeconds());
    }

    private ReplicaServers startServers() throws IOException, InterruptedException {
        narrator.chapter("Three replica servers, each a process of its own with a disk of its own");
        ReplicaServers servers = cleanUp.add(ReplicaServers.start(directory, SERVERS));
        for (int server = 0; server < SERVERS; server++) {
            narrator.fact("process %d listens on %s", servers.pid(server), servers.address(server));
        }
        return servers;
    }

    private FileSystemImage buildImage() throws IOException, InterruptedException {
        narrator.chapter("An ext4 file system, made from files of this machine");
        Path work = Files.createDirectory(directory.resolve("image"));
        FileSystemImage image = FileSystemImage.build(mke2fs, work, CONTENT_BYTES, IMAGE_BYTES);
        narrator.fact(
                "%,d files, %.0f MB, in an image of %.0f MB",
                image.files(), Narrator.megabytes(image.fileBytes()), Narrator.megabytes(image.sizeBytes()));
        narrator.fact("e2fsck: %s", FileSystemImage.check(e2fsck, image.file(), directory));
        return image;
    }

    private LonghornConfig config(ReplicaServers servers) {
        // Without a read cache every read is answered, and proved, by a replica.
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(directory.resolve("registry")).readCacheBytes(0);
        for (int server = 0; server < servers.count(); server++) {
            config.replicaServer(servers.address(server));
        }
        return config.build();
    }

    private void importWhileKilling(
            ReplicaServers servers,
            Volume volume,
            FileSystemImage image,
            SecondWriter writer,
            List<RebuildWatch> watches)
            throws Exception {
        narrator.chapter("Import it, while a second writer works on a volume of the same servers");
        narrator.fact(
                "held at %.0f MB/s, so that there is time to break things",
                Narrator.megabytes(IMPORT_BYTES_PER_SECOND));
        volume.limits(VolumeLimits.NONE.withBytesPerSecond(IMPORT_BYTES_PER_SECOND));
        writer.takeLongestNanos();
        ImportRun run = cleanUp.add(ImportRun.start(volume, image));
        run.awaitFraction(0.2, STEP_LIMIT);
        long begin = System.nanoTime();
        Snapshot early = volume.snapshot("during-import");
        narrator.fact(
                "at %.0f %%: snapshot \"%s\" in %.1f ms, nothing copied",
                100 * run.fraction(), early.name(), Narrator.millis(System.nanoTime() - begin));
        narrator.fact("longest single call of the second writer so far: %s", longest(writer));

        run.awaitFraction(0.4, STEP_LIMIT);
        servers.kill(1);
        narrator.fact("at %.0f %%: SIGKILL to the server %s", 100 * run.fraction(), servers.address(1));
        for (RebuildWatch watch : watches) {
            watch.awaitLost(servers.address(1), STEP_LIMIT);
        }
        requireState(volume, HealthState.DEGRADED);
        // The rest without a brake: the more is missed, the more there is to catch up with.
        volume.limits(VolumeLimits.NONE);
        long compared = run.awaitEnd(STEP_LIMIT);
        volume.flush();
        narrator.fact("import complete on two replicas; %,d blocks compared beside it, all right", compared);
        narrator.fact(
                "second writer: %,d writes, %,d blocks verified; longest single call since the snapshot: %s",
                writer.written(), writer.verified(), longest(writer));
    }

    private void catchUp(ReplicaServers servers, int server, SecondWriter writer, List<RebuildWatch> watches)
            throws InterruptedException {
        narrator.chapter("The killed server returns with the data it had, and catches up with what it missed");
        long writtenBefore = writer.written();
        watches.forEach(RebuildWatch::clear);
        servers.restart(server);
        narrator.fact("process %d listens on %s again", servers.pid(server), servers.address(server));
        for (RebuildWatch watch : watches) {
            watch.awaitInSync(servers.address(server), STEP_LIMIT);
        }
        narrator.fact(
                "the second writer made %,d writes meanwhile; longest single call: %s",
                writer.written() - writtenBefore, longest(writer));
    }

    private void proveSnapshot(Snapshot snapshot, String imageSha) throws IOException {
        Path copy = directory.resolve("snapshot.ext4");
        snapshot.exportTo(copy);
        requireEqual("SHA-256 of snapshot " + snapshot.name(), imageSha, FileSystemImage.sha256(copy));
        narrator.fact("snapshot \"%s\" taken; its export has the SHA-256 of the image", snapshot.name());
        Files.delete(copy);
    }

    private void rebuildFromNothing(ReplicaServers servers, int server, SecondWriter writer, List<RebuildWatch> watches)
            throws IOException, InterruptedException {
        narrator.chapter("Another server is killed and loses its disk; it is rebuilt from nothing");
        watches.forEach(RebuildWatch::clear);
        servers.kill(server);
        narrator.fact("SIGKILL to the server %s", servers.address(server));
        for (RebuildWatch watch : watches) {
            watch.awaitLost(servers.address(server), STEP_LIMIT);
        }
        servers.eraseDisk(server);
        servers.restart(server);
        narrator.fact("process %d listens on %s, with an empty disk", servers.pid(server), servers.address(server));
        for (RebuildWatch watch : watches) {
            VolumeEvent.RebuildEnded ended = watch.awaitInSync(servers.address(server), STEP_LIMIT);
            narrator.fact(
                    "that was %.0f MB/s",
                    Narrator.megabytes(ended.transferredBytes())
                            / Math.max(1e-3, Narrator.seconds(ended.took().toNanos())));
        }
        narrator.fact("longest single call of the second writer meanwhile: %s", longest(writer));
    }

    private void giveSpaceBack(ReplicaServers servers, Volume volume) throws Exception {
        narrator.chapter("A snapshot is deleted, and its space comes back");
        scribble(volume, 1);
        Snapshot mistake = volume.snapshot("mistake");
        scribble(volume, 2);
        volume.flush();
        narrator.fact(
                "scribbled over %.0f MB, took snapshot \"%s\", scribbled over the same blocks again",
                Narrator.megabytes(SCRIBBLE_BYTES), mistake.name());
        // Blocks are counted where they lie when a checkpoint has moved them from the journal to their layer.
        Waiting.until(STEP_LIMIT, () -> volume.spaceUsage().headBytes() >= SCRIBBLE_BYTES);
        long usedBefore = volume.spaceUsage().actualBytes();
        long keptByIt = mistake.actualBytes();
        Optional<Long> diskBefore = diskBytes(servers.disk(0));
        long begin = System.nanoTime();
        mistake.delete();
        narrator.fact("deleted in %.1f ms, nothing copied", Narrator.millis(System.nanoTime() - begin));
        boolean smaller =
                Waiting.until(STEP_LIMIT, () -> volume.spaceUsage().actualBytes() <= usedBefore - keptByIt * 9 / 10);
        if (!smaller || keptByIt < SCRIBBLE_BYTES * 9 / 10) {
            throw new CommandFailure("the space of the snapshot did not come back: it kept " + keptByIt + " of "
                    + usedBefore + " bytes, " + volume.spaceUsage().actualBytes() + " are used now");
        }
        narrator.fact(
                "each replica's data: %.1f MB before, %.1f MB after",
                Narrator.megabytes(usedBefore),
                Narrator.megabytes(volume.spaceUsage().actualBytes()));
        Optional<Long> diskAfter = diskBytes(servers.disk(0));
        if (diskBefore.isPresent() && diskAfter.isPresent()) {
            narrator.fact(
                    "layers on the disk of %s (du): %.1f MB before, %.1f MB after",
                    servers.address(0), Narrator.megabytes(diskBefore.get()), Narrator.megabytes(diskAfter.get()));
        }
    }

    private void revertAndProve(Volume volume, Snapshot imported, String imageSha)
            throws IOException, InterruptedException {
        narrator.chapter("Revert, export, and prove every byte");
        long begin = System.nanoTime();
        volume.revertTo(imported);
        narrator.fact("reverted to \"%s\" in %.1f ms", imported.name(), Narrator.millis(System.nanoTime() - begin));
        Path export = directory.resolve("export.ext4");
        begin = System.nanoTime();
        volume.exportTo(export);
        narrator.fact("exported in %.2f s", Narrator.seconds(System.nanoTime() - begin));
        String exportSha = FileSystemImage.sha256(export);
        narrator.fact("SHA-256 of the export  %s", exportSha);
        narrator.fact("SHA-256 of the image   %s", imageSha);
        requireEqual("SHA-256 of the export", imageSha, exportSha);
        narrator.fact("e2fsck -fn: %s", FileSystemImage.check(e2fsck, export, directory));
    }

    private void backUpAndRestore(Longhorn longhorn, Volume volume, Snapshot imported, String imageSha)
            throws Exception {
        narrator.chapter("Back up to a folder in Longhorn's own format, and restore into a second volume");
        BackupStory story = new BackupStory(narrator, longhorn, directory);
        Backup first = story.backUp(imported);
        scribble(volume, 3);
        Snapshot changed = volume.snapshot("changed");
        narrator.fact(
                "scribbled over %.0f MB, took snapshot \"%s\"", Narrator.megabytes(SCRIBBLE_BYTES), changed.name());
        Backup second = story.backUp(changed);
        requireEqual("the volume of the backups", first.volume(), second.volume());
        story.verify();
        String restoredSha = story.restore(first);
        narrator.fact("SHA-256 of the restored volume  %s", restoredSha);
        requireEqual("SHA-256 of the restored volume", imageSha, restoredSha);
        volume.revertTo(imported);
        changed.delete();
    }

    private void repairFlippedBit(ReplicaServers servers, Volume volume, FileSystemImage image, RebuildWatch watch)
            throws Exception {
        narrator.chapter("A bit flips in a layer file of one replica");
        ByteBuffer content = ByteBuffer.allocate(Volume.BLOCK_BYTES);
        long block = findDataBlock(image, content);
        LayerFiles layers = new LayerFiles(servers.disk(0), volume.name());
        List<Path> holding = new ArrayList<>();
        boolean checkpointed = Waiting.until(STEP_LIMIT, () -> {
            layers.holding(block, content).ifPresent(holding::add);
            return !holding.isEmpty();
        });
        if (!checkpointed) {
            throw new CommandFailure("block " + block + " did not reach a layer file of " + servers.disk(0));
        }
        Path layer = holding.get(0);
        watch.clear();
        VolumeStatistics before = volume.statistics();
        LayerFiles.flip(layer, block, 1234);
        narrator.fact(
                "flipped a bit of block %,d in %s of %s, which runs on",
                block, layer.getFileName(), servers.address(0));
        int reads = readUntilRepaired(volume, block, content, before);
        VolumeEvent.BlockRepaired repaired = watch.awaitRepaired(STEP_LIMIT);
        requireEqual("the repaired replica", servers.address(0), repaired.location());
        requireEqual("the repaired offset", block * Volume.BLOCK_BYTES, repaired.offsetBytes());
        VolumeStatistics after = volume.statistics();
        narrator.fact(
                "%,d reads, all right; checksum mismatches %d -> %d, repaired blocks %d -> %d",
                reads,
                before.checksumMismatches(),
                after.checksumMismatches(),
                before.repairedBlocks(),
                after.repairedBlocks());
        if (!Waiting.until(STEP_LIMIT, () -> LayerFiles.holds(layer, block, content))) {
            throw new CommandFailure("block " + block + " was repaired, but not in " + layer);
        }
        narrator.fact("the layer file holds the right bytes again");
    }

    private void end(ReplicaServers servers, Longhorn longhorn, SecondWriter writer)
            throws IOException, InterruptedException {
        narrator.chapter("The end");
        long written = writer.written();
        writer.stopAndVerifyAll();
        narrator.fact("second writer: %,d writes through all of this; all its blocks are right", written);
        longhorn.close();
        servers.stop();
        narrator.fact("all servers stopped cleanly");
        for (int server = 0; server < servers.count(); server++) {
            checkDisk(servers.disk(server), servers.address(server));
        }
    }

    /** What {@code longhorn check} does. */
    private void checkDisk(Path disk, String address) throws IOException {
        DiskCheck check = DiskCheck.of(disk);
        if (!check.damages().isEmpty()) {
            throw new CommandFailure("the disk of " + address + " is damaged: " + check.damages());
        }
        narrator.fact(
                "check of the disk of %s: %,d blocks match their checksums, %,d journal records are whole",
                address, check.blocks(), check.records());
    }

    /** Overwrites the first part of the volume with bytes that depend on the seed. */
    private static void scribble(Volume volume, long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        CompletableFuture<?>[] flights = new CompletableFuture<?>[SCRIBBLE_DEPTH];
        byte[] bytes = new byte[SCRIBBLE_CHUNK_BYTES];
        int chunks = (int) (SCRIBBLE_BYTES / SCRIBBLE_CHUNK_BYTES);
        for (int chunk = 0; chunk < chunks; chunk++) {
            CompletableFuture<?> earlier = flights[chunk % SCRIBBLE_DEPTH];
            if (earlier != null) {
                earlier.get(STEP_LIMIT.toSeconds(), TimeUnit.SECONDS);
            }
            random.nextBytes(bytes);
            flights[chunk % SCRIBBLE_DEPTH] = volume.writeAsync(
                            (long) chunk * SCRIBBLE_CHUNK_BYTES, ByteBuffer.wrap(bytes.clone()))
                    .toCompletableFuture();
        }
        CompletableFuture.allOf(flights).get(STEP_LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    /** Reads the block many times at once, so that each replica has to answer, until the damage was found and mended. */
    private static int readUntilRepaired(Volume volume, long block, ByteBuffer content, VolumeStatistics before)
            throws Exception {
        int[] reads = {0};
        boolean repaired = Waiting.until(STEP_LIMIT, () -> {
            List<ByteBuffer> found = new ArrayList<>();
            List<CompletableFuture<Void>> flights = new ArrayList<>();
            for (int i = 0; i < 2 * SERVERS; i++) {
                ByteBuffer buffer = ByteBuffer.allocate(Volume.BLOCK_BYTES);
                found.add(buffer);
                flights.add(volume.readAsync(block * Volume.BLOCK_BYTES, buffer).toCompletableFuture());
            }
            for (int i = 0; i < flights.size(); i++) {
                flights.get(i).get(STEP_LIMIT.toSeconds(), TimeUnit.SECONDS);
                requireEqual("block " + block, content, found.get(i).flip());
            }
            reads[0] += flights.size();
            return volume.statistics().repairedBlocks() > before.repairedBlocks();
        });
        if (!repaired) {
            throw new CommandFailure(
                    "the flipped bit of block " + block + " was not noticed in " + reads[0] + " reads");
        }
        return reads[0];
    }

    /** A block in the middle of the image that is not zero; its content goes to the buffer. */
    private static long findDataBlock(FileSystemImage image, ByteBuffer content) throws IOException {
        try (FileChannel file = image.open()) {
            long blocks = image.sizeBytes() / Volume.BLOCK_BYTES;
            for (long block = blocks / 3; block < blocks; block++) {
                FileSystemImage.read(file, block * Volume.BLOCK_BYTES, content.clear());
                if (!Stamps.isZero(content.flip())) {
                    return block;
                }
            }
        }
        throw new CommandFailure("the image holds only zeroes");
    }

    /** What the layers of a disk take, by du; empty where that is missing. */
    private Optional<Long> diskBytes(Path disk) throws InterruptedException {
        Optional<ExternalTool> du = ExternalTool.find("du");
        if (du.isEmpty()) {
            return Optional.empty();
        }
        ExternalTool.Result result = du.get()
                .run(directory, STEP_LIMIT, "-s", "-k", disk.resolve("replicas").toString());
        return result.exitCode() == 0
                ? Optional.of(Long.parseLong(result.output().split("\\s", 2)[0]) << 10)
                : Optional.empty();
    }

    private static String longest(SecondWriter writer) {
        return String.format(Locale.ROOT, "%.1f ms", Narrator.millis(writer.takeLongestNanos()));
    }

    private static void requireHealthy(Volume volume) throws InterruptedException {
        if (!volume.awaitHealthy(STEP_LIMIT)) {
            throw new CommandFailure("volume " + volume.name() + " is " + volume.health() + " and not healthy");
        }
    }

    private static void requireState(Volume volume, HealthState state) {
        requireEqual(
                "the health of volume " + volume.name(), state, volume.health().state());
    }

    private static void requireEqual(String what, Object expected, Object found) {
        if (!expected.equals(found)) {
            throw new CommandFailure("MISMATCH: " + what + " should be " + expected + " and is " + found);
        }
    }
}
