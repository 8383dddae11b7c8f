package io.longhorn.backup;

import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.CompareResult;
import io.longhorn.Durability;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.OutOfRangeException;
import io.longhorn.ProgressListener;
import io.longhorn.Replicas;
import io.longhorn.RestoringVolume;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotSpec;
import io.longhorn.SpaceUsage;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeHealth;
import io.longhorn.VolumeIncompleteException;
import io.longhorn.VolumeLimits;
import io.longhorn.VolumeStatistics;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A volume that is restored while it is used; see {@link RestoringVolume}. Which blocks are there is known from the volume's own block map, so nothing else is kept. */
final class FillingVolume implements RestoringVolume {
    private static final Logger LOG = LoggerFactory.getLogger(FillingVolume.class);
    private static final int WORKERS = 2;
    private static final Duration PAUSE_FIRST = Duration.ofSeconds(1);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(30);

    private final Volume volume;
    private final BackupStore store;
    private final RestoreRun run;
    private final FirstTouch blocks;
    private final ExecutorService threads;
    private final Thread behind;
    private final CompletableFuture<Void> restored = new CompletableFuture<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    /** Takes the store over. */
    FillingVolume(Volume volume, BackupStore store, RestoreRun run) {
        this.volume = volume;
        this.store = store;
        this.run = run;
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "longhorn-fetch-" + volume.name() + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        BlockRestore restore = run.blocks(volume);
        this.blocks = new FirstTouch(run.config(), restore::fill, threads);
        this.behind = new Thread(this::fillAll, "longhorn-restore-" + volume.name());
        behind.setDaemon(true);
    }

    void start() {
        behind.start();
    }

    // ------------------------------------------------------------------ the rest, behind

    private void fillAll() {
        try {
            Duration pause = PAUSE_FIRST;
            while (!fillUnlessTheTargetFails()) {
                store.time().sleep(pause);
                pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
            }
            volume.flush();
            run.complete(volume);
            blocks.noteEnd();
            LOG.info(
                    "restored: volume={} backup={}", volume.name(), run.config().name());
            restored.complete(null);
            store.close();
        } catch (InterruptedException e) {
            restored.completeExceptionally(new CancellationException("volume " + volume.name() + " was closed"));
        } catch (Exception e) {
            LOG.warn("the restore of volume {} ended", volume.name(), e);
            restored.completeExceptionally(e);
        }
    }

    /** The backup is locked all the while, so that nobody deletes it. */
    private boolean fillUnlessTheTargetFails() throws Exception {
        try (StoreLock lock = run.lock()) {
            store.completeBackup(run.config().volumeName(), run.config().name());
            AtomicInteger next = new AtomicInteger();
            Workers.run(
                    "longhorn-restore-" + volume.name(),
                    WORKERS,
                    () -> () -> {
                        int index = next.getAndIncrement();
                        if (index >= run.config().blocks().size()) {
                            return false;
                        }
                        blocks.awaitBlock(index);
                        return true;
                    },
                    lock::keep);
            return true;
        } catch (BackupTargetException | BackupTargetBusyException | java.io.IOException e) {
            LOG.warn("the restore of volume {} goes on when the target does: {}", volume.name(), e.getMessage());
            return false;
        }
    }

    @Override
    public RestoreProgress restoreProgress() {
        return new RestoreProgress(blocks.presentBytes(), blocks.totalBytes());
    }

    @Override
    public CompletionStage<Void> restored() {
        return restored.minimalCompletionStage();
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        behind.interrupt();
        boolean interrupted = false;
        while (behind.isAlive()) {
            try {
                behind.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        threads.shutdown();
        try {
            volume.close();
        } finally {
            store.close();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ------------------------------------------------------------------ what needs content

    private <T> CompletionStage<T> touching(long offset, long length, Supplier<CompletionStage<T>> call) {
        OutOfRangeException.check(offset, length, sizeBytes());
        return blocks.inOrder(offset, length, call);
    }

    private <T> T touchingNow(long offset, long length, Supplier<CompletionStage<T>> call) {
        CompletableFuture<T> future = touching(offset, length, call).toCompletableFuture();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (java.util.concurrent.ExecutionException e) {
                    throw Failures.unwrapped(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer destination) {
        if (blocks.isOver()) {
            volume.read(offsetBytes, destination);
        } else {
            touchingNow(offsetBytes, destination.remaining(), () -> volume.readAsync(offsetBytes, destination));
        }
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return touching(offsetBytes, destination.remaining(), () -> volume.readAsync(offsetBytes, destination));
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) {
        if (blocks.isOver()) {
            volume.write(offsetBytes, source);
        } else {
            touchingNow(offsetBytes, source.remaining(), () -> volume.writeAsync(offsetBytes, source));
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source, WriteOption... options) {
        touchingNow(offsetBytes, source.remaining(), () -> volume.writeAsync(offsetBytes, source, options));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source) {
        return touching(offsetBytes, source.remaining(), () -> volume.writeAsync(offsetBytes, source));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        return touching(offsetBytes, source.remaining(), () -> volume.writeAsync(offsetBytes, source, options));
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) {
        touchingNow(offsetBytes, lengthBytes, () -> volume.discardAsync(offsetBytes, lengthBytes));
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return touching(offsetBytes, lengthBytes, () -> volume.discardAsync(offsetBytes, lengthBytes));
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, ZeroOption... options) {
        touchingNow(offsetBytes, lengthBytes, () -> volume.writeZeroesAsync(offsetBytes, lengthBytes, options));
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return touching(offsetBytes, lengthBytes, () -> volume.writeZeroesAsync(offsetBytes, lengthBytes, options));
    }

    @Override
    public CompareResult compareAndWrite(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        return touchingNow(
                offsetBytes,
                expected.remaining(),
                () -> volume.compareAndWriteAsync(offsetBytes, expected, replacement, options));
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        return touching(
                offsetBytes,
                expected.remaining(),
                () -> volume.compareAndWriteAsync(offsetBytes, expected, replacement, options));
    }

    /** What is not there yet counts as data. */
    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        List<Extent> extents = new ArrayList<>();
        long end = offsetBytes + lengthBytes;
        long at = offsetBytes;
        while (at < end && extents.size() < EXTENTS_MAX) {
            long absent = blocks.firstAbsent(at, end);
            if (absent > at) {
                List<Extent> part = volume.allocation(at, absent - at);
                part.forEach(extent -> add(extents, extent));
                at = part.get(part.size() - 1).endBytes();
            } else {
                long next = Math.min(end, blocks.endOfBlock(at));
                add(extents, new Extent(at, next - at, ExtentState.DATA));
                at = next;
            }
        }
        return List.copyOf(extents.subList(0, Math.min(extents.size(), EXTENTS_MAX)));
    }

    private static void add(List<Extent> extents, Extent next) {
        int last = extents.size() - 1;
        if (last >= 0 && extents.get(last).state() == next.state()) {
            Extent before = extents.get(last);
            extents.set(last, new Extent(before.offsetBytes(), next.endBytes() - before.offsetBytes(), next.state()));
        } else {
            extents.add(next);
        }
    }

    @Override
    public void importFrom(Path file, ProgressListener listener) {
        requireRestored();
        volume.importFrom(file, listener);
    }

    @Override
    public void exportTo(Path file, ProgressListener listener) {
        requireRestored();
        volume.exportTo(file, listener);
    }

    @Override
    public Snapshot snapshot(SnapshotSpec spec) {
        requireRestored();
        return volume.snapshot(spec);
    }

    /** A snapshot would keep holes for ever. */
    private void requireRestored() {
        if (!restored.isDone() || restored.isCompletedExceptionally()) {
            throw new VolumeIncompleteException(
                    volume.name(),
                    "backup " + run.config().name() + " of volume "
                            + run.config().volumeName() + " at " + store.describe());
        }
    }

    // ------------------------------------------------------------------ what does not

    @Override
    public String name() {
        return volume.name();
    }

    @Override
    public UUID id() {
        return volume.id();
    }

    @Override
    public long sizeBytes() {
        return volume.sizeBytes();
    }

    @Override
    public Durability durability() {
        return volume.durability();
    }

    @Override
    public Map<String, String> labels() {
        return volume.labels();
    }

    @Override
    public boolean isReadOnly() {
        return volume.isReadOnly();
    }

    @Override
    public void flush() {
        volume.flush();
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return volume.flushAsync();
    }

    @Override
    public List<Snapshot> snapshots() {
        return volume.snapshots();
    }

    @Override
    public void revertTo(Snapshot snapshot) {
        requireRestored();
        volume.revertTo(snapshot);
    }

    @Override
    public void expandTo(long sizeBytes) {
        volume.expandTo(sizeBytes);
    }

    @Override
    public VolumeHealth health() {
        return volume.health();
    }

    @Override
    public Replicas replicas() {
        return volume.replicas();
    }

    @Override
    public EventSubscription subscribe(Consumer<? super VolumeEvent> listener) {
        return volume.subscribe(listener);
    }

    @Override
    public VolumeLimits limits() {
        return volume.limits();
    }

    @Override
    public void limits(VolumeLimits limits) {
        volume.limits(limits);
    }

    @Override
    public VolumeStatistics statistics() {
        return volume.statistics();
    }

    @Override
    public SpaceUsage spaceUsage() {
        return volume.spaceUsage();
    }
}
