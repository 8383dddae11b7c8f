package io.longhorn.app.bench;

import io.longhorn.Backup;
import io.longhorn.BackupMode;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.RestoringVolume;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.app.ScratchDirectory;
import io.longhorn.backup.BackupExport;
import io.longhorn.backup.BackupStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

/** Backups of bytes that do not compress to a folder of this machine and back, beside what compressing and hashing the same bytes costs alone. */
final class BackupSpeed implements Measurement {
    private static final int BLOCK_BYTES = BackupSpec.BLOCK_BYTES_SMALL;
    /** So many times the size of other volumes has the one that is backed up. */
    private static final int SIZES = 2;

    private static final long LARGE_BYTES = 100L << 30;
    private static final long LARGE_BASE_BYTES = 64L << 20;
    private static final int CHANGED_PART = 100;
    /** Of the large volume, written one by one. */
    private static final long SCATTERED_BLOCKS = 100_000;

    private static final int WRITES_BESIDE = 4;
    private static final long LIMIT = 32L << 20;
    private static final long STRETCH_SECONDS = 4;
    /** Where Linux keeps files in memory. */
    private static final Path MEMORY = Path.of("/dev/shm");

    private final long sizeBytes;
    private final Figure pipe = new Figure("lz4 | sha512sum, programs of this machine", "MB/s");
    private final Figure floor = new Figure("LZ4 and SHA-512 by the library, all cores, nothing else", "MB/s");
    private final Figure disk = new Figure("writing the same bytes to one file and forcing it", "MB/s");
    private final Figure inMemory = new Figure(
            "first backup, to a folder in memory, without the 2 s of the lock", "MB/s", "0.7 of lz4 | sha512sum");
    private final Figure again =
            new Figure("the same once more, with code that is compiled by then", "MB/s", "0.7 of lz4 | sha512sum");
    private final Figure first =
            new Figure("first backup, to the disk, without the 2 s of the lock", "MB/s", "0.7 of lz4 | sha512sum");
    private final Figure firstSeconds = new Figure("first backup in all", "s");
    private final Figure changed = new Figure("backup after 1 % changed in one place", "s");
    private final Figure restore =
            new Figure("restore to a volume, without the 2 s of the lock", "MB/s", "0.7 of lz4 | sha512sum");
    private final Figure restoreSingle = new Figure("the same to a volume with one replica", "MB/s");
    private final Figure export = new Figure("export to a file", "MB/s", "0.7 of lz4 | sha512sum");
    private final Figure alone = new Figure("4k random writes, depth " + WRITES_BESIDE + ", alone", "1/s");
    private final Figure beside = new Figure("the same beside a full backup", "1/s");
    private final Figure besideLimited =
            new Figure("the same beside one limited to " + (LIMIT >> 20) + " MiB/s", "1/s");
    private final Figure planning =
            new Figure("100 GiB, " + SCATTERED_BLOCKS + " scattered blocks changed: planning", "s", "below 2 s");
    private final Figure instant = new Figure("100 GiB, instant restore: first block read after", "s", "below 1 s");
    private final Figure heap = new Figure("heap used after all of it", "MiB", "below 256 MiB");

    BackupSpeed(long benchBytes) {
        sizeBytes = Math.max(CHANGED_PART * (long) BLOCK_BYTES, SIZES * benchBytes / BLOCK_BYTES * BLOCK_BYTES);
    }

    @Override
    public String title() {
        return "backups of " + (sizeBytes >> 20) + " MiB to a folder, "
                + BackupSpec.defaults().workers() + " workers";
    }

    @Override
    public List<Figure> figures() {
        return List.of(
                pipe,
                floor,
                disk,
                inMemory,
                again,
                first,
                firstSeconds,
                changed,
                restore,
                restoreSingle,
                export,
                alone,
                beside,
                besideLimited,
                planning,
                instant,
                heap);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        Path folder = Files.createTempDirectory(site.settings().directory(), "backups-");
        BackupTarget target = BackupTarget.at(folder.toUri());
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            HashPipe.megabytesPerSecond(isMemoryRoomy() ? MEMORY : folder, sizeBytes)
                    .ifPresent(pipe::add);
            floor.add(HashFloor.megabytesPerSecond(sizeBytes, BLOCK_BYTES));
            disk.add(DiskFloor.megabytesPerSecond(folder, sizeBytes, BLOCK_BYTES));
            Volume volume = scratch.empty(sizeBytes);
            fill(volume, 0, sizeBytes, 1);
            site.settle(volume);
            Snapshot snapshot = volume.snapshot("first");
            inMemory(snapshot, inMemory);
            inMemory(snapshot, again);
            Backup backup = firstBackup(snapshot, target);
            restore(site, scratch, backup, BenchSite.REPLICAS, restore);
            restore(site, scratch, backup, 1, restoreSingle);
            export(backup, folder.resolve("image"));
            fill(volume, 0, sizeBytes / CHANGED_PART, 2);
            site.settle(volume);
            long begin = System.nanoTime();
            Backup unused = volume.snapshot("second").backUpTo(target);
            changed.add(seconds(begin));
            beside(volume, snapshot, target);
        }
        large(site, folder);
        Runtime runtime = Runtime.getRuntime();
        System.gc();
        heap.add((runtime.totalMemory() - runtime.freeMemory()) / (double) (1 << 20));
        ScratchDirectory.delete(folder);
    }

    /** Without a disk that holds it up. */
    private void inMemory(Snapshot snapshot, Figure speed) throws IOException, InterruptedException {
        if (isMemoryRoomy()) {
            Path folder = Files.createTempDirectory(MEMORY, "backups-");
            Backup unused = measured(snapshot, BackupTarget.at(folder.toUri()), speed);
            ScratchDirectory.delete(folder);
        }
    }

    private boolean isMemoryRoomy() throws IOException {
        return Files.isWritable(MEMORY) && Files.getFileStore(MEMORY).getUsableSpace() > 2 * sizeBytes;
    }

    private Backup firstBackup(Snapshot snapshot, BackupTarget target) throws InterruptedException {
        long begin = System.nanoTime();
        Backup backup = measured(snapshot, target, first);
        firstSeconds.add(seconds(begin));
        return backup;
    }

    private Backup measured(Snapshot snapshot, BackupTarget target, Figure speed) throws InterruptedException {
        BackupOperation operation = snapshot.startBackup(target, BackupSpec.defaults());
        awaitPlan(operation);
        long planned = System.nanoTime();
        Backup backup = operation.await();
        speed.add(sizeBytes / 1e6 / seconds(planned));
        return backup;
    }

    /** What a backup takes from who writes to the volume meanwhile. */
    private void beside(Volume volume, Snapshot snapshot, BackupTarget target) throws InterruptedException {
        BackupSpec full = BackupSpec.builder().mode(BackupMode.FULL).build();
        BackupSpec limited =
                BackupSpec.builder().mode(BackupMode.FULL).bytesPerSecond(LIMIT).build();
        try (RunningWrites writes = RunningWrites.start(volume, WRITES_BESIDE)) {
            TimeUnit.SECONDS.sleep(STRETCH_SECONDS);
            alone.add(writes.takeStretch().perSecond());

            BackupOperation operation = snapshot.startBackup(target, full);
            awaitPlan(operation);
            RunningWrites.Stretch unused = writes.takeStretch();
            Backup ignored = operation.await();
            beside.add(writes.takeStretch().perSecond());

            operation = snapshot.startBackup(target, limited);
            awaitPlan(operation);
            unused = writes.takeStretch();
            TimeUnit.SECONDS.sleep(STRETCH_SECONDS);
            besideLimited.add(writes.takeStretch().perSecond());
            cancel(operation);
        }
    }

    private static void cancel(BackupOperation operation) {
        operation.cancel();
        operation
                .completion()
                .toCompletableFuture()
                .handle((made, failure) -> 0)
                .join();
    }

    private static void awaitPlan(BackupOperation operation) throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        operation.completion().whenComplete((made, failure) -> end.countDown());
        while (operation.progress().totalBytes() == 0 && !end.await(1, TimeUnit.MILLISECONDS)) {
            // Looks a thousand times a second.
        }
    }

    private void restore(BenchSite site, ScratchVolumes scratch, Backup backup, int replicas, Figure speed)
            throws Exception {
        String name = site.newName();
        AtomicLong begun = new AtomicLong();
        // The first call of the listener says that the lock is there, to 0.2 s.
        ProgressListener listener = (done, total) -> begun.compareAndSet(0, System.nanoTime());
        Volume restored = site.longhorn()
                .restore(backup, VolumeSpec.named(name).replicas(replicas).build(), listener);
        speed.add(sizeBytes / 1e6 / seconds(begun.get()));
        scratch.adopt(restored);
        site.settle(restored);
    }

    private void export(Backup backup, Path image) throws IOException {
        long begin = System.nanoTime();
        try (BackupStore store = BackupStore.open(backup.target())) {
            new BackupExport(store, backup.volume(), backup.name()).to(image, false, ProgressListener.none());
        }
        export.add(sizeBytes / 1e6 / seconds(begin));
        Files.delete(image);
    }

    /** The target is in memory if it can be: writing a lock's two small files may wait for all that is on its way to the same disk. */
    private void large(BenchSite site, Path otherwise) throws Exception {
        Path folder = Files.createTempDirectory(isMemoryRoomy() ? MEMORY : otherwise, "backups-");
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            large(site, scratch, BackupTarget.at(folder.toUri()));
        } finally {
            ScratchDirectory.delete(folder);
        }
    }

    private void large(BenchSite site, ScratchVolumes scratch, BackupTarget target) throws Exception {
        Volume volume = scratch.empty(LARGE_BYTES);
        fill(volume, 0, LARGE_BASE_BYTES, 3);
        Backup base = volume.snapshot("base").backUpTo(target);
        SplittableRandom random = new SplittableRandom(4);
        Fill.blocks(volume, random.longs(SCATTERED_BLOCKS, 0, LARGE_BYTES / Volume.BLOCK_BYTES));
        site.settle(volume);
        Snapshot scattered = volume.snapshot("scattered");
        BackupOperation operation = scattered.startBackup(
                target, BackupSpec.builder().bytesPerSecond(1).build());
        long begin = System.nanoTime();
        awaitPlan(operation);
        // The lock is waited for before the plan is made.
        planning.add(Math.max(0, seconds(begin) - 2));
        cancel(operation);

        Longhorn longhorn = site.longhorn();
        begin = System.nanoTime();
        RestoringVolume restoring =
                longhorn.openRestoring(base, VolumeSpec.named(site.newName()).build());
        restoring.read(LARGE_BASE_BYTES / 2, ByteBuffer.allocate(Volume.BLOCK_BYTES));
        instant.add(seconds(begin));
        restoring.restored().toCompletableFuture().join();
        scratch.adopt(restoring);
    }

    /** Bytes of which no two blocks are the same. */
    private static void fill(Volume volume, long offset, long bytes, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] content = new byte[1 << 20];
        LongStream.iterate(offset, at -> at < offset + bytes, at -> at + content.length)
                .forEach(at -> {
                    random.nextBytes(content);
                    int length = (int) Math.min(content.length, offset + bytes - at);
                    volume.write(at, ByteBuffer.wrap(content, 0, length));
                });
    }

    private static double seconds(long beginNanos) {
        return (System.nanoTime() - beginNanos) / 1e9;
    }
}
