package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Backup;
import io.longhorn.BackupExistsException;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.HealthState;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.RestoringVolume;
import io.longhorn.Snapshot;
import io.longhorn.StandbyVolume;
import io.longhorn.Volume;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeIncompleteException;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users do with backups, on whatever target: volumes are real, and so is what keeps the objects; only the two seconds in which locks settle are turned by hand. */
public abstract class BackupScenarioContract {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = BackupSpec.BLOCK_BYTES_SMALL;
    private static final int SIZE = 16 * MIB;

    @TempDir
    protected Path directory;

    private final TurnedTime time = new TurnedTime();
    /** Calls that read an object, by the test; told to fail or to wait. */
    private volatile Predicate<String> unreadable = key -> false;

    private BackupTarget target;
    private LonghornBackups backups;
    private Longhorn longhorn;
    private Volume volume;

    /** A target without backups. */
    protected abstract BackupTarget target() throws IOException;

    @BeforeEach
    final void start() throws IOException {
        target = target();
        backups = new LonghornBackups(this::store);
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(
                VolumeSpec.named("orders").sizeBytes(SIZE).replicas(1).build());
    }

    @AfterEach
    final void stop() {
        unreadable = key -> false;
        longhorn.close();
    }

    private BackupStore store(BackupTarget of) {
        WatchedStore objects = new WatchedStore(ObjectStores.open(of));
        objects.reading = key -> {
            if (unreadable.test(key)) {
                throw new IOException("the connection was lost");
            }
        };
        return BackupStore.on(objects, of, time);
    }

    private BackupStore store() {
        return store(target);
    }

    private static byte[] random(int bytes, long seed) {
        byte[] data = new byte[bytes];
        new Random(seed).nextBytes(data);
        return data;
    }

    private void write(long offset, int bytes, long seed) {
        volume.write(offset, ByteBuffer.wrap(random(bytes, seed)));
    }

    private Backup backUp(Snapshot snapshot) throws InterruptedException {
        return backUp(snapshot, BackupSpec.defaults());
    }

    private Backup backUp(Snapshot snapshot, BackupSpec spec) throws InterruptedException {
        return backups.start(snapshot, target, spec).await();
    }

    private Volume restore(Backup backup, String name) {
        return backups.restore(
                longhorn, backup, VolumeSpec.named(name).replicas(1).build(), ProgressListener.none());
    }

    private RestoringVolume openRestoring(Backup backup, String name) {
        return backups.openRestoring(
                longhorn, backup, VolumeSpec.named(name).replicas(1).build());
    }

    private static byte[] content(Volume of) {
        ByteBuffer content = ByteBuffer.allocate((int) of.sizeBytes());
        of.read(0, content);
        return content.array();
    }

    private static byte[] content(Snapshot of) {
        ByteBuffer content = ByteBuffer.allocate((int) of.sizeBytes());
        of.read(0, content);
        return content.array();
    }

    private List<String> blockKeys(BackupStore store) throws IOException {
        List<String> keys = new ArrayList<>();
        store.objects().list(StoreLayout.blocks("orders"), entry -> keys.add(entry.key()));
        return keys;
    }

    private static String keyOf(BackupStore store, Backup backup, int index) {
        BlockReference block =
                store.backup(backup.volume(), backup.name()).blocks().get(index);
        return StoreLayout.block(backup.volume(), block.checksum());
    }

    private static void await(CompletionStage<Void> stage) {
        stage.toCompletableFuture().join();
    }

    // ------------------------------------------------------------------ backup and restore

    @Test
    void backupAndRestore() throws Exception {
        write(100, 5 * MIB, 1);
        write(SIZE - 10, 10, 2);
        Snapshot snapshot = volume.snapshot("one");
        Backup backup = backUp(
                snapshot, BackupSpec.builder().labels(Map.of("team", "shop")).build());
        write(0, MIB, 3);

        List<Long> told = new ArrayList<>();
        Volume copy = backups.restore(
                longhorn,
                backup,
                VolumeSpec.named("copy").replicas(1).build(),
                (done, total) -> told.add(done * 100 / total));

        assertThat(content(copy)).isEqualTo(content(snapshot));
        assertThat(copy.sizeBytes()).isEqualTo(SIZE);
        assertThat(told).isSorted().endsWith(100L);
        assertThat(copy.allocation(8 * MIB, 2 * MIB)).containsExactly(new Extent(8 * MIB, 2 * MIB, ExtentState.ABSENT));
        assertThat(backups.backups(longhorn, target)).containsExactly(backup);
        assertThat(backup.labels()).containsExactly(Map.entry("team", "shop"));
        copy.close();
        assertThat(content(longhorn.open("copy"))).isEqualTo(content(snapshot));
    }

    @Test
    void backupsOfSeveralVolumesAreListedByVolumeAndTime() throws Exception {
        write(0, 100, 1);
        Backup first = backUp(volume.snapshot("one"));
        time.pass(Duration.ofSeconds(5));
        write(0, 100, 2);
        Backup second = backUp(volume.snapshot("two"));
        Volume other = longhorn.create(
                VolumeSpec.named("billing").sizeBytes(MIB).replicas(1).build());
        Backup third = backUp(other.snapshot("one"));

        assertThat(backups.backups(longhorn, target)).containsExactly(third, first, second);
        assertThat(third.sizeBytes()).isZero();
        assertThat(restore(third, "empty").sizeBytes()).isEqualTo(MIB);
        assertThat(backups.find(longhorn, target, "orders", second.name())).contains(second);
        assertThat(backups.find(longhorn, target, "orders", third.name())).isEmpty();
    }

    @Test
    void moreThanAThousandBackupsAreListed() throws Exception {
        write(0, 100, 1);
        Backup first = backUp(volume.snapshot("one"));
        int count = 1100;
        try (BackupStore store = store()) {
            BackupConfig config = store.backup("orders", first.name());
            for (int i = 1; i < count; i++) {
                String name = "backup-" + i;
                BackupConfig another = new BackupConfig(
                        name,
                        config.volumeName(),
                        config.snapshotName(),
                        config.snapshotCreatedAt(),
                        config.createdTime(),
                        config.sizeBytes(),
                        config.labels(),
                        config.parameters(),
                        false,
                        config.compression(),
                        0,
                        0,
                        config.blocks());
                store.objects().write(StoreLayout.backupConfig("orders", name), ConfigJson.document(another));
            }
        }
        assertThat(backups.backups(longhorn, target)).hasSize(count).contains(first);
    }

    @Test
    void aBackupIsRestoredIntoALargerVolumeAndNotIntoASmallerOne() throws Exception {
        write(SIZE - MIB, MIB, 1);
        Backup backup = backUp(volume.snapshot("one"));

        Volume larger = backups.restore(
                longhorn,
                backup,
                VolumeSpec.named("larger").sizeBytes(SIZE + 4096).replicas(1).build(),
                ProgressListener.none());
        assertThat(Arrays.copyOf(content(larger), SIZE)).isEqualTo(content(volume));
        assertThat(larger.allocation(SIZE, 4096)).containsExactly(new Extent(SIZE, 4096, ExtentState.ABSENT));

        assertThatThrownBy(() -> backups.restore(
                        longhorn,
                        backup,
                        VolumeSpec.named("smaller")
                                .sizeBytes(SIZE - 4096)
                                .replicas(1)
                                .build(),
                        ProgressListener.none()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(String.valueOf(SIZE));
        assertThat(longhorn.volumes()).containsExactly("larger", "orders");
    }

    @Test
    void aSizeThatIsNoMultipleOfTheBlockSizeComesBackExactly() throws Exception {
        volume.expandTo(SIZE + 3 * 4096);
        write(SIZE, 3 * 4096, 1);
        Backup backup = backUp(volume.snapshot("one"));
        assertThat(backup.volumeSizeBytes()).isEqualTo(SIZE + 3 * 4096);
        Volume copy = restore(backup, "copy");
        assertThat(content(copy)).isEqualTo(content(volume));
    }

    @Test
    void aBackupIsRestoredToAFileWithoutAVolume() throws Exception {
        write(3 * MIB, 4 * MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        Backup backup = backUp(snapshot);
        longhorn.close();
        Path image = directory.resolve("image");
        try (BackupStore store = store()) {
            new BackupExport(store, "orders", backup.name()).to(image, false, ProgressListener.none());
        }
        byte[] expected = new byte[SIZE];
        System.arraycopy(random(4 * MIB, 1), 0, expected, 3 * MIB, 4 * MIB);
        assertThat(Arrays.equals(Files.readAllBytes(image), expected)).isTrue();
    }

    @Test
    void sharedBlocksSurviveADeletionAndOthersGo() throws Exception {
        write(0, 4 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        Backup first = backUp(one);
        write(0, 2 * MIB, 2);
        Snapshot two = volume.snapshot("two");
        Backup second = backUp(two);
        try (BackupStore store = store()) {
            assertThat(blockKeys(store)).hasSize(3);
            assertThat(store.delete("orders", first.name())).isPositive();
            assertThat(blockKeys(store)).hasSize(2);
            assertThat(content(restore(second, "copy"))).isEqualTo(content(two));
            assertThatThrownBy(() -> restore(first, "gone"))
                    .isInstanceOf(BackupNotFoundException.class)
                    .hasMessageContaining(first.name());
            store.delete("orders", second.name());
            assertThat(blockKeys(store)).isEmpty();
        }
        assertThat(backups.backups(longhorn, target)).isEmpty();
        assertThat(longhorn.volumes()).containsExactly("copy", "orders");
    }

    @Test
    void aBackupThatEndedHalfWayIsNeitherListedNorRestoredAndTheNextOneFindsItsBlocks() throws Exception {
        write(0, 6 * MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        BackupOperation operation = backups.start(
                snapshot,
                target,
                BackupSpec.builder().workers(1).bytesPerSecond(1).build());
        while (operation.progress().sentBytes() == 0) {
            Thread.onSpinWait();
        }
        operation.cancel();
        assertThatThrownBy(operation::await).isInstanceOf(CancellationException.class);
        assertThatThrownBy(() -> operation.completion().toCompletableFuture().join())
                .hasCauseInstanceOf(CancellationException.class);

        assertThat(backups.backups(longhorn, target)).isEmpty();
        BackupOperation again = backups.start(snapshot, target, BackupSpec.defaults());
        Backup backup = again.await();
        assertThat(again.progress().sentBytes())
                .as("what had arrived is not sent again")
                .isLessThan(3L * BLOCK)
                .isGreaterThanOrEqualTo(BLOCK);
        assertThat(content(restore(backup, "copy"))).isEqualTo(content(snapshot));
    }

    @Test
    void theLimitOfARunningBackupIsChanged() throws Exception {
        write(0, 8 * MIB, 1);
        BackupOperation operation = backups.start(
                volume.snapshot("one"),
                target,
                BackupSpec.builder().workers(2).bytesPerSecond(1).build());
        while (operation.progress().sentBytes() == 0) {
            Thread.onSpinWait();
        }
        assertThatThrownBy(() -> operation.limit(-1)).isInstanceOf(IllegalArgumentException.class);
        operation.limit(0);
        Backup backup = operation.await();
        assertThat(operation.name()).isEqualTo(backup.name());
        assertThat(operation.progress().doneBytes())
                .isEqualTo(operation.progress().totalBytes())
                .isEqualTo(8L * MIB);
    }

    @Test
    void aVolumeIsBackedUpWhileItIsWrittenAndItsSnapshotDeleted() throws Exception {
        write(0, 12 * MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        byte[] expected = content(snapshot);
        BackupOperation operation = backups.start(
                snapshot,
                target,
                BackupSpec.builder().workers(1).bytesPerSecond(1).build());
        while (operation.progress().sentBytes() == 0) {
            Thread.onSpinWait();
        }
        write(0, 12 * MIB, 2);
        snapshot.delete();
        volume.flush();
        operation.limit(0);
        assertThat(content(restore(operation.await(), "copy"))).isEqualTo(expected);
    }

    @Test
    void twoBackupsOfOneVolumeAtOnceAreBothWhole() throws Exception {
        write(0, 6 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        write(4 * MIB, 6 * MIB, 2);
        Snapshot two = volume.snapshot("two");
        BackupOperation first = backups.start(one, target, BackupSpec.defaults());
        BackupOperation second = backups.start(two, target, BackupSpec.defaults());
        assertThat(content(restore(first.await(), "copy-1"))).isEqualTo(content(one));
        assertThat(content(restore(second.await(), "copy-2"))).isEqualTo(content(two));
    }

    // ------------------------------------------------------------------ who excludes whom

    @Test
    void whoBacksUpOrRestoresKeepsDeletionsAwayAndTheOtherWayRound() throws Exception {
        write(0, MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        Backup backup = backUp(snapshot, BackupSpec.builder().name("backup-1").build());
        try (BackupStore store = store()) {
            try (StoreLock running =
                    StoreLock.acquire(store.objects(), "orders", StoreLock.Kind.BACKUP_OR_RESTORE, time)) {
                assertThatThrownBy(() -> store.delete("orders", backup.name()))
                        .isInstanceOf(BackupTargetBusyException.class)
                        .hasMessageContaining(running.name());
                restore(backup, "beside").close();
                backUp(snapshot);
            }
            try (StoreLock deletion = StoreLock.acquire(store.objects(), "orders", StoreLock.Kind.DELETION, time)) {
                assertThatThrownBy(() -> backUp(snapshot))
                        .isInstanceOf(BackupTargetBusyException.class)
                        .hasMessageContaining(deletion.name());
                assertThatThrownBy(() -> restore(backup, "copy")).isInstanceOf(BackupTargetBusyException.class);
            }
            assertThat(content(restore(backup, "copy"))).as("goes on").isEqualTo(content(snapshot));
            assertThatThrownBy(() -> backUp(
                            snapshot, BackupSpec.builder().name("backup-1").build()))
                    .isInstanceOf(BackupExistsException.class);
        }
    }

    // ------------------------------------------------------------------ damage

    @Test
    void aDamagedBlockIsNamedAndNothingIsMadeOfIt() throws Exception {
        write(0, 4 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        write(2 * MIB, 2 * MIB, 2);
        Backup second = backUp(volume.snapshot("two"));
        try (BackupStore store = store()) {
            String key = keyOf(store, first, 0);
            ByteBuffer bytes = store.objects().read(key, 4 * MIB).orElseThrow();
            ByteBuffer good = ByteBuffer.allocate(bytes.remaining())
                    .put(bytes.duplicate())
                    .flip();
            bytes.put(1000, (byte) (bytes.get(1000) ^ 4));
            store.objects().write(key, bytes);

            assertThatThrownBy(() -> restore(second, "copy"))
                    .isInstanceOf(DamagedBackupException.class)
                    .hasMessageContaining(key)
                    .hasMessageContaining(second.name())
                    .hasMessageContaining(first.name());
            assertThatThrownBy(() -> longhorn.open("copy"))
                    .isInstanceOf(VolumeIncompleteException.class)
                    .hasMessageContaining(second.name());

            store.objects().delete(List.of(key));
            assertThatThrownBy(() -> restore(second, "copy"))
                    .isInstanceOf(DamagedBackupException.class)
                    .hasMessageContaining("missing");

            store.objects().write(key, good);
            assertThat(content(restore(second, "copy"))).isEqualTo(content(volume));
        }
    }

    @Test
    void aBlockThatCannotBeFetchedForAMomentIsFetchedAgain() throws Exception {
        write(0, 6 * MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        Backup backup = backUp(snapshot);
        AtomicInteger faults = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && faults.incrementAndGet() <= 3;
        assertThat(content(restore(backup, "copy"))).isEqualTo(content(snapshot));
        assertThat(faults.get()).isGreaterThan(3);
    }

    @Test
    void aRestoreThatFailedGoesOnWhereItWas() throws Exception {
        write(0, 10 * MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        Backup backup = backUp(snapshot);
        AtomicInteger reads = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && reads.incrementAndGet() > 2;
        assertThatThrownBy(() -> restore(backup, "copy"))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("connection was lost");
        longhorn.close();

        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.open("orders");
        assertThatThrownBy(() -> longhorn.open("copy")).isInstanceOf(VolumeIncompleteException.class);
        Backup other = backUp(volume.snapshots().get(0));
        unreadable = key -> false;
        assertThatThrownBy(() -> restore(other, "copy")).isInstanceOf(VolumeExistsException.class);
        AtomicInteger again = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && again.incrementAndGet() < 0;
        assertThat(content(restore(backup, "copy")))
                .isEqualTo(content(volume.snapshots().get(0)));
        assertThat(again.get()).as("two of five are there").isEqualTo(3);
        assertThatThrownBy(() -> restore(backup, "copy")).isInstanceOf(VolumeExistsException.class);
    }

    // ------------------------------------------------------------------ instant restore

    @Test
    void aVolumeIsUsedWhileItIsRestored() throws Exception {
        write(0, 12 * MIB, 1);
        Snapshot snapshot = volume.snapshot("one");
        byte[] expected = content(snapshot);
        Backup backup = backUp(snapshot);
        CountDownLatch go = new CountDownLatch(1);
        String wanted;
        try (BackupStore store = store()) {
            wanted = keyOf(store, backup, 3);
        }
        unreadable = key -> {
            if (key.endsWith(".blk") && !key.equals(wanted)) {
                awaitQuietly(go);
            }
            return false;
        };

        RestoringVolume copy = openRestoring(backup, "copy");
        ByteBuffer read = ByteBuffer.allocate(1000);
        copy.read(6 * MIB + 500, read);
        assertThat(read.array()).isEqualTo(Arrays.copyOfRange(expected, 6 * MIB + 500, 6 * MIB + 1500));
        byte[] mine = random(5000, 7);
        copy.write(7 * MIB, ByteBuffer.wrap(mine));
        System.arraycopy(mine, 0, expected, 7 * MIB, mine.length);
        copy.flush();
        assertThat(copy.restoreProgress().doneBytes()).isEqualTo(BLOCK);
        assertThat(copy.restoreProgress().totalBytes()).isEqualTo(12L * MIB);
        assertThat(copy.allocation(0, SIZE))
                .containsExactly(
                        new Extent(0, 12 * MIB, ExtentState.DATA), new Extent(12 * MIB, 4 * MIB, ExtentState.ABSENT));
        assertThatThrownBy(() -> copy.snapshot("early")).isInstanceOf(VolumeIncompleteException.class);
        assertThatThrownBy(() -> longhorn.open("copy")).isInstanceOf(VolumeIncompleteException.class);

        // Calls that need the same block are in order, whoever waits for it.
        CompletionStage<Void> first = copy.writeAsync(100, ByteBuffer.wrap(random(4096, 8)));
        CompletionStage<Void> second = copy.discardAsync(100, 4096);
        byte[] last = random(100, 9);
        CompletionStage<Void> third = copy.writeAsync(200, ByteBuffer.wrap(last));
        assertThat(third.toCompletableFuture()).isNotDone();
        go.countDown();
        await(third);
        await(second);
        await(first);
        ByteBuffer seen = ByteBuffer.allocate(4096);
        copy.read(100, seen);
        Arrays.fill(expected, 100, 4196, (byte) 0);
        System.arraycopy(last, 0, expected, 200, last.length);
        assertThat(seen.array()).isEqualTo(Arrays.copyOfRange(expected, 100, 4196));

        await(copy.restored());
        assertThat(content(copy)).isEqualTo(expected);
        assertThat(copy.restoreProgress().doneBytes()).isEqualTo(12L * MIB);
        copy.snapshot("now");
        assertThat(content(longhorn.open("copy"))).isEqualTo(expected);
        copy.close();
        assertThat(content(longhorn.open("copy"))).isEqualTo(expected);
    }

    private static void awaitQuietly(CountDownLatch go) {
        boolean interrupted = false;
        while (true) {
            try {
                go.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void anInstantRestoreGoesOnAfterARestart() throws Exception {
        write(0, 12 * MIB, 1);
        byte[] expected = content(volume);
        Backup backup = backUp(volume.snapshot("one"));
        AtomicInteger reads = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && reads.incrementAndGet() > 1;
        RestoringVolume copy = openRestoring(backup, "copy");
        while (copy.restoreProgress().doneBytes() == 0) {
            Thread.onSpinWait();
        }
        long there = -1;
        for (long offset = 0; offset < 12 * MIB && there < 0; offset += BLOCK) {
            try {
                copy.discard(offset + 4096, 100_000);
                there = offset;
            } catch (BackupTargetException e) {
                assertThat(e).hasMessageContaining("connection was lost");
            }
        }
        copy.flush();
        Arrays.fill(expected, (int) there + 4096, (int) there + 104_096, (byte) 0);
        longhorn.close();
        copy.close();
        assertThatThrownBy(() -> copy.restored().toCompletableFuture().join())
                .isInstanceOfAny(CompletionException.class, CancellationException.class);

        unreadable = key -> false;
        longhorn = Longhorn.embedded(directory.resolve("data"));
        assertThatThrownBy(() -> longhorn.open("copy")).isInstanceOf(VolumeIncompleteException.class);
        RestoringVolume again = openRestoring(backup, "copy");
        ByteBuffer all = ByteBuffer.allocate(SIZE);
        again.read(0, all);
        assertThat(all.array()).as("what was discarded does not come back").isEqualTo(expected);
        await(again.restored());
        assertThat(content(longhorn.open("copy"))).isEqualTo(expected);
    }

    @Test
    void aDamagedBackupEndsAnInstantRestoreAndTheRestIsReadable() throws Exception {
        write(0, 4 * MIB, 1);
        Backup backup = backUp(volume.snapshot("one"));
        try (BackupStore store = store()) {
            store.objects().delete(List.of(keyOf(store, backup, 1)));
        }
        RestoringVolume copy = openRestoring(backup, "copy");
        assertThatThrownBy(() -> await(copy.restored())).hasCauseInstanceOf(DamagedBackupException.class);
        assertThatThrownBy(() -> copy.read(3 * MIB, ByteBuffer.allocate(1))).isInstanceOf(DamagedBackupException.class);
        ByteBuffer read = ByteBuffer.allocate(MIB);
        copy.read(0, read);
        assertThat(read.array()).isEqualTo(Arrays.copyOf(content(volume), MIB));
        copy.close();
    }

    // ------------------------------------------------------------------ standby

    private StandbyVolume standby(String name) {
        return backups.standby(
                longhorn, VolumeSpec.named(name).replicas(1).build(), target, "orders", Duration.ofDays(1));
    }

    @Test
    void aStandbyVolumeFollowsAndIsActivated() throws Exception {
        write(0, 6 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        StandbyVolume standby = standby("spare");
        standby.synchronize();
        assertThat(standby.status().appliedBackup()).contains(first.name());
        assertThat(standby.status().applyingBackup()).isEmpty();
        assertThat(standby.status().lookedAt()).isPresent();
        assertThat(standby.name()).isEqualTo("spare");
        assertThat(standby.sourceVolume()).isEqualTo("orders");
        assertThat(standby.health().state()).isEqualTo(HealthState.HEALTHY);
        assertThatThrownBy(() -> longhorn.open("spare"))
                .isInstanceOf(VolumeIncompleteException.class)
                .hasMessageContaining("orders");

        later();
        write(5 * MIB, 4 * MIB, 2);
        volume.discard(0, BLOCK);
        volume.expandTo(SIZE + 8192);
        write(SIZE, 8192, 3);
        Backup second = backUp(volume.snapshot("two"));
        AtomicInteger fetched = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && fetched.incrementAndGet() < 0;
        standby.synchronize();
        assertThat(standby.status().appliedBackup()).contains(second.name());
        assertThat(fetched.get()).as("only blocks that differ").isEqualTo(4);
        assertThat(standby.sizeBytes()).isEqualTo(SIZE + 8192);

        later();
        write(2 * MIB, 100, 4);
        backUp(volume.snapshot("three"));
        Volume active = standby.activate();
        assertThat(content(active)).isEqualTo(content(volume));
        assertThat(active.snapshots()).isEmpty();
        active.write(0, ByteBuffer.wrap(random(100, 5)));
        assertThat(longhorn.open("spare")).isSameAs(active);
        assertThatThrownBy(standby::synchronize).isInstanceOf(IllegalStateException.class);
        standby.close();
        active.flush();
    }

    /** Backups are told apart by the second. */
    private void later() {
        time.pass(Duration.ofSeconds(2));
    }

    @Test
    void withoutABackupThereIsNoStandbyVolume() {
        assertThatThrownBy(() -> standby("spare"))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("orders");
        assertThat(longhorn.volumes()).containsExactly("orders");
        assertThatThrownBy(() -> standby("orders")).isInstanceOf(VolumeExistsException.class);
    }

    @Test
    void aStandbyVolumeGoesOnAfterARestartAndWithoutTheBackupThatItHolds() throws Exception {
        write(0, 8 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        StandbyVolume standby = standby("spare");
        standby.synchronize();
        standby.close();
        longhorn.close();

        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.open("orders");
        later();
        write(2 * MIB, 2 * MIB, 2);
        volume.discard(6 * MIB, 2 * MIB);
        Snapshot two = volume.snapshot("two");
        Backup second = backUp(two);
        try (BackupStore store = store()) {
            store.delete("orders", first.name());
        }
        AtomicInteger fetched = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && fetched.incrementAndGet() < 0;
        StandbyVolume again = standby("spare");
        again.synchronize();
        assertThat(again.status().appliedBackup()).contains(second.name());
        assertThat(fetched.get()).as("what the volume holds is not fetched").isEqualTo(1);
        assertThat(content(again.activate())).isEqualTo(content(two));
    }

    @Test
    void aStandbyVolumeDoesNotGoBackInTime() throws Exception {
        write(0, 2 * MIB, 1);
        backUp(volume.snapshot("one"));
        later();
        write(0, 2 * MIB, 2);
        Snapshot two = volume.snapshot("two");
        Backup second = backUp(two);
        StandbyVolume standby = standby("spare");
        standby.synchronize();
        try (BackupStore store = store()) {
            store.delete("orders", second.name());
        }
        standby.synchronize();
        assertThat(standby.status().appliedBackup()).contains(second.name());
        assertThat(content(standby.activate())).isEqualTo(content(two));
    }

    @Test
    void aStandbyVolumeThatStoppedInTheMiddleGoesOn() throws Exception {
        write(0, 4 * MIB, 1);
        backUp(volume.snapshot("one"));
        StandbyVolume standby = standby("spare");
        standby.synchronize();
        later();
        write(0, 10 * MIB, 2);
        Snapshot two = volume.snapshot("two");
        Backup second = backUp(two);
        AtomicInteger fetched = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && fetched.incrementAndGet() > 2;
        assertThatThrownBy(standby::synchronize).isInstanceOf(BackupTargetException.class);
        assertThat(standby.status().applyingBackup()).contains(second.name());
        assertThat(standby.status().failure()).isPresent();
        standby.close();
        longhorn.close();

        longhorn = Longhorn.embedded(directory.resolve("data"));
        AtomicInteger rest = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && rest.incrementAndGet() < 0;
        StandbyVolume again = standby("spare");
        again.synchronize();
        assertThat(again.status().appliedBackup()).contains(second.name());
        assertThat(rest.get()).as("two of five are there").isEqualTo(3);
        volume = longhorn.open("orders");
        assertThat(content(again.activate()))
                .isEqualTo(content(volume.snapshots().get(1)));
    }

    @Test
    void anActivationThatCannotWaitGivesTheLastWholeBackup() throws Exception {
        write(0, 6 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        Backup first = backUp(one);
        StandbyVolume standby = standby("spare");
        standby.synchronize();
        later();
        write(0, 8 * MIB, 2);
        backUp(volume.snapshot("two"));
        AtomicInteger fetched = new AtomicInteger();
        unreadable = key -> key.endsWith(".blk") && fetched.incrementAndGet() > 1;
        assertThatThrownBy(standby::activate).isInstanceOf(BackupTargetException.class);
        assertThat(standby.status().appliedBackup()).contains(first.name());

        Volume active = standby.activateNow();
        assertThat(content(active)).isEqualTo(content(one));
        assertThat(active.snapshots()).isEmpty();
        active.write(0, ByteBuffer.wrap(random(100, 5)));
        active.close();
        assertThat(longhorn.open("spare").snapshots()).isEmpty();
    }

    @Test
    void aStandbyVolumeWithoutAWholeBackupCannotBeActivated() throws Exception {
        write(0, 6 * MIB, 1);
        backUp(volume.snapshot("one"));
        unreadable = key -> key.endsWith(".blk");
        StandbyVolume standby = standby("spare");
        assertThatThrownBy(standby::synchronize).isInstanceOf(BackupTargetException.class);
        assertThatThrownBy(standby::activateNow).isInstanceOf(IllegalStateException.class);
        unreadable = key -> false;
        assertThat(content(standby.activate())).isEqualTo(content(volume));
    }

    @Test
    void aStandbyVolumeLooksByItself() throws Exception {
        write(0, 2 * MIB, 1);
        backUp(volume.snapshot("one"));
        StandbyVolume standby = backups.standby(
                longhorn, VolumeSpec.named("spare").replicas(1).build(), target, "orders", Duration.ofMillis(10));
        later();
        write(0, 2 * MIB, 2);
        Backup second = backUp(volume.snapshot("two"));
        while (!standby.status().appliedBackup().equals(Optional.of(second.name()))) {
            Thread.onSpinWait();
        }
        assertThat(content(standby.activateNow())).isEqualTo(content(volume));
    }
}
