package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Backup;
import io.longhorn.BackupCompression;
import io.longhorn.BackupExistsException;
import io.longhorn.BackupMode;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetBusyException;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of a real volume to a store in memory, by a clock that the test turns. */
class BackupRunTest {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = BackupSpec.BLOCK_BYTES_SMALL;
    private static final BackupTarget TARGET = BackupTarget.at(URI.create("file:///somewhere/"));

    @TempDir
    private Path directory;

    private final TurnedTime time = new TurnedTime();
    private final MemoryStore objects = new MemoryStore(time);
    private final BackupStore store = BackupStore.on(objects, time);
    private BackupProgress progress = new BackupProgress();
    private Longhorn longhorn;
    private Volume volume;

    @BeforeEach
    void createVolume() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(
                VolumeSpec.named("orders").sizeBytes(16 * MIB + 4096).build());
    }

    @AfterEach
    void close() {
        longhorn.close();
    }

    private void write(long offset, int bytes, long seed) {
        byte[] data = new byte[bytes];
        new Random(seed).nextBytes(data);
        volume.write(offset, ByteBuffer.wrap(data));
    }

    private Backup backUp(Snapshot snapshot, BackupSpec spec) throws Exception {
        return backUp(store, snapshot, spec);
    }

    private Backup backUp(BackupStore to, Snapshot snapshot, BackupSpec spec) throws Exception {
        progress = new BackupProgress();
        return new BackupRun(
                        to,
                        TARGET,
                        snapshot,
                        spec,
                        spec.name().orElseGet(BackupSpec::randomName),
                        new Throttle(spec.bytesPerSecond()),
                        progress)
                .run();
    }

    private Backup backUp(Snapshot snapshot) throws Exception {
        return backUp(snapshot, BackupSpec.defaults());
    }

    private byte[] content(Snapshot snapshot) {
        ByteBuffer content = ByteBuffer.allocate((int) snapshot.sizeBytes());
        snapshot.read(0, content);
        return content.array();
    }

    private byte[] restored(Backup backup) throws IOException {
        Path image = directory.resolve(backup.name());
        new BackupExport(store, backup.volume(), backup.name()).to(image, true, ProgressListener.none());
        return Files.readAllBytes(image);
    }

    private BackupConfig config(Backup backup) {
        return store.completeBackup(backup.volume(), backup.name());
    }

    private List<Long> offsets(Backup backup) {
        return config(backup).blocks().stream().map(BlockReference::offsetBytes).toList();
    }

    private List<String> blockKeys() throws IOException {
        List<String> keys = new ArrayList<>();
        objects.list(StoreLayout.blocks("orders"), entry -> keys.add(entry.key()));
        return keys;
    }

    private void assertWhole() {
        assertThat(new BackupVerification(store).all(ProgressListener.none()).damages())
                .isEmpty();
    }

    @Test
    void firstBackupHoldsWhatTheSnapshotHolds() throws Exception {
        write(100, 3 * BLOCK, 1);
        write(16 * MIB, 4096, 2);
        Snapshot snapshot = volume.snapshot("one");
        write(0, MIB, 3);

        Backup backup = backUp(
                snapshot,
                BackupSpec.builder()
                        .name("backup-1")
                        .labels(Map.of("why", "test"))
                        .build());

        assertThat(offsets(backup)).containsExactly(0L, 2L * MIB, 4L * MIB, 6L * MIB, 16L * MIB);
        assertThat(restored(backup)).isEqualTo(content(snapshot));
        assertThat(backup)
                .isEqualTo(new Backup(
                        TARGET,
                        "orders",
                        "backup-1",
                        "one",
                        16 * MIB + 4096,
                        5L * BLOCK,
                        config(backup).newlyUploadedBytes(),
                        backup.createdAt(),
                        Map.of("why", "test")));
        assertThat(progress.now().doneBytes())
                .isEqualTo(progress.now().totalBytes())
                .isEqualTo(5L * BLOCK);
        assertThat(progress.now().sentBytes()).isEqualTo(backup.newBytes()).isPositive();
        assertWhole();
        assertThat(objects.names(StoreLayout.locks("orders"))).isEmpty();
    }

    @Test
    void documentsHaveTheFieldsOfTheLayout() throws Exception {
        write(0, 10, 1);
        Snapshot snapshot = volume.snapshot("one");
        String asked =
                time.now().truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString();

        Backup backup = backUp(
                snapshot,
                BackupSpec.builder()
                        .name("backup-1")
                        .labels(Map.of("why", "test"))
                        .build());

        BackupConfig config = config(backup);
        String labels = "{\"longhorn-java/snapshot-created-at\":\"" + snapshot.createdAt()
                + "\",\"longhorn-java/volume-id\":\"" + volume.id()
                + "\",\"longhorn-java/volume-size\":\"16781312\",\"why\":\"test\"}";
        assertThat(text("backups/backup_backup-1.cfg"))
                .isEqualTo("{\"Name\":\"backup-1\",\"VolumeName\":\"orders\",\"SnapshotName\":\"one\","
                        + "\"SnapshotCreatedAt\":\"" + asked + "\",\"CreatedTime\":\"" + config.createdTime()
                        + "\",\"Size\":\"2097152\",\"Labels\":" + labels
                        + ",\"Parameters\":{\"backup-block-size\":\"2097152\",\"backup-mode\":\"incremental\"},"
                        + "\"IsIncremental\":false,\"CompressionMethod\":\"lz4\",\"NewlyUploadedDataSize\":\""
                        + backup.newBytes() + "\",\"ReUploadedDataSize\":\"0\",\"ProcessingBlocks\":{},"
                        + "\"Blocks\":[{\"Offset\":0,\"BlockChecksum\":\""
                        + config.blocks().get(0).checksum() + "\"}],\"SingleFile\":{\"FilePath\":\"\"}}");
        assertThat(text("volume.cfg"))
                .isEqualTo(
                        "{\"Name\":\"orders\",\"Size\":\"18874368\",\"Labels\":" + labels
                                + ",\"CreatedTime\":\""
                                + store.volume("orders").orElseThrow().createdTime()
                                + "\",\"LastBackupName\":\"backup-1\",\"LastBackupAt\":\"" + asked
                                + "\",\"BlockCount\":\"1\",\"BackingImageName\":\"\\\"\\\"\",\"BackingImageChecksum\":\"\\\"\\\"\","
                                + "\"CompressionMethod\":\"\\\"lz4\\\"\",\"StorageClassName\":\"\\\"\\\"\",\"DataEngine\":\"\\\"\\\"\"}");
    }

    private String text(String name) throws IOException {
        return StandardCharsets.UTF_8
                .decode(objects.read(StoreLayout.volume("orders") + "/" + name, MIB)
                        .orElseThrow())
                .toString();
    }

    @Test
    void onlyWhatChangedIsLookedAtAndTheRestIsTakenOver() throws Exception {
        write(0, 8 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        Backup first = backUp(one);
        write(5 * MIB, 4096, 2);
        volume.discard(0, BLOCK);
        write(12 * MIB, 1, 3);
        Snapshot two = volume.snapshot("two");

        Backup second = backUp(two);

        assertThat(progress.now().totalBytes()).as("two changed, one discarded").isEqualTo(3L * BLOCK);
        assertThat(offsets(second)).containsExactly(2L * MIB, 4L * MIB, 6L * MIB, 12L * MIB);
        assertThat(config(second).isIncremental()).isTrue();
        assertThat(config(first).isIncremental()).isFalse();
        assertThat(restored(second)).isEqualTo(content(two));
        assertThat(restored(first)).isEqualTo(content(one));

        Backup third = backUp(volume.snapshot("three"));
        assertThat(progress.now().totalBytes()).as("nothing changed").isZero();
        assertThat(third.newBytes()).isZero();
        assertThat(restored(third)).isEqualTo(content(two));
        assertThat(store.volume("orders").orElseThrow().blockCount())
                .isEqualTo(blockKeys().size());
        assertWhole();
    }

    @Test
    void withoutTheSnapshotOfTheLastBackupAnOlderOneIsTheBase() throws Exception {
        write(0, 8 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        Backup first = backUp(one);
        write(0, BLOCK, 2);
        Snapshot two = volume.snapshot("two");
        backUp(two);
        two.delete();
        write(4 * MIB, BLOCK, 3);
        Snapshot three = volume.snapshot("three");

        Backup third = backUp(three);
        assertThat(progress.now().totalBytes()).isEqualTo(2L * BLOCK);
        assertThat(config(third).isIncremental()).isTrue();
        assertThat(restored(third)).isEqualTo(content(three));

        one.delete();
        three.delete();
        Snapshot four = volume.snapshot("four");
        Backup fourth = backUp(four);
        assertThat(progress.now().totalBytes()).as("everything is looked at").isEqualTo(8L * MIB);
        assertThat(progress.now().sentBytes()).as("and nothing sent").isZero();
        assertThat(config(fourth).isIncremental()).isFalse();
        assertThat(restored(fourth)).isEqualTo(content(four));
        assertThat(restored(first)).hasSize(16 * MIB + 4096);
    }

    @Test
    void aSnapshotOfTheSameNameIsNotTakenForTheBase() throws Exception {
        write(0, 4 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        backUp(one);
        one.delete();
        write(0, 2 * MIB, 2);
        volume.snapshot("one");
        write(2 * MIB, 2 * MIB, 3);
        Snapshot two = volume.snapshot("two");

        Backup second = backUp(two);

        assertThat(config(second).isIncremental()).isFalse();
        assertThat(restored(second)).isEqualTo(content(two));
    }

    @Test
    void anOlderSnapshotIsBackedUpAfterANewerOne() throws Exception {
        write(0, 4 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        write(2 * MIB, 4 * MIB, 2);
        Snapshot two = volume.snapshot("two");
        Backup newer = backUp(two);

        Backup older = backUp(one);

        assertThat(restored(older)).isEqualTo(content(one));
        assertThat(restored(newer)).isEqualTo(content(two));
        volume.revertTo(one);
        write(14 * MIB, 10, 5);
        Snapshot branch = volume.snapshot("branch");
        assertThat(restored(backUp(branch))).isEqualTo(content(branch));
        assertWhole();
    }

    @Test
    void zeroesAreLeftOut() throws Exception {
        volume.write(0, ByteBuffer.allocate(3 * BLOCK));
        write(8 * MIB, 1, 1);
        Backup backup = backUp(volume.snapshot("one"));
        assertThat(offsets(backup)).containsExactly(8L * MIB);
    }

    @Test
    void anExpandedVolumeIsBackedUpInItsNewSize() throws Exception {
        write(0, 4 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        volume.expandTo(24 * MIB);
        write(16 * MIB, 8 * MIB, 2);
        Snapshot two = volume.snapshot("two");

        Backup second = backUp(two);

        assertThat(config(second).isIncremental()).isTrue();
        assertThat(second.volumeSizeBytes()).isEqualTo(24 * MIB);
        assertThat(restored(second)).isEqualTo(content(two));
        assertThat(restored(first)).hasSize(16 * MIB + 4096);
    }

    @Test
    void allCompressionsAndBlockSizesAreRestored() throws Exception {
        write(0, 4 * MIB, 1);
        volume.write(6 * MIB, ByteBuffer.wrap("text ".repeat(100_000).getBytes(StandardCharsets.UTF_8)));
        Snapshot snapshot = volume.snapshot("one");
        for (BackupCompression compression : BackupCompression.values()) {
            for (int blockBytes : List.of(BackupSpec.BLOCK_BYTES_SMALL, BackupSpec.BLOCK_BYTES_LARGE)) {
                MemoryStore other = new MemoryStore(time);
                BackupStore to = BackupStore.on(other, time);
                backUp(
                        to,
                        snapshot,
                        BackupSpec.builder()
                                .name("backup-1")
                                .compression(compression)
                                .blockBytes(blockBytes)
                                .build());
                Path image = directory.resolve("image");
                new BackupExport(to, "orders", "backup-1").to(image, true, ProgressListener.none());
                assertThat(Files.readAllBytes(image)).isEqualTo(content(snapshot));
                BackupConfig config = to.completeBackup("orders", "backup-1");
                assertThat(config.blockBytes()).isEqualTo(blockBytes);
                assertThat(config.compression())
                        .isEqualTo(Compression.of(compression).text());
            }
        }
    }

    @Test
    void theCompressionOfTheFirstBackupStays() throws Exception {
        write(0, 4096, 1);
        backUp(
                volume.snapshot("one"),
                BackupSpec.builder().compression(BackupCompression.GZIP).build());
        write(4 * MIB, 4096, 2);
        Backup second = backUp(volume.snapshot("two"));
        assertThat(config(second).compression()).isEqualTo("gzip");
        assertThat(config(second).isIncremental()).isTrue();
        assertWhole();
    }

    @Test
    void aDamagedBlockAtTheTargetIsNotTakenForPresent() throws Exception {
        write(0, 4 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        String key = StoreLayout.block("orders", config(first).blocks().get(0).checksum());
        ByteBuffer damaged = objects.read(key, 4 * MIB).orElseThrow();
        damaged.put(100_000, (byte) (damaged.get(100_000) ^ 1));
        objects.write(key, damaged);
        volume.snapshots().get(0).delete();

        Backup second = backUp(volume.snapshot("two"));

        assertThat(config(second).reuploadedBytes()).isPositive();
        assertThat(second.newBytes()).isZero();
        assertWhole();
    }

    @Test
    void aBlockOfAnotherLengthIsNotTrustedEither() throws Exception {
        write(0, 4 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        String key = StoreLayout.block("orders", config(first).blocks().get(0).checksum());
        objects.write(key, objects.read(key, 4 * MIB).orElseThrow().limit(1000));
        volume.snapshots().get(0).delete();

        backUp(
                volume.snapshot("two"),
                BackupSpec.builder().trustPresentBlocks(true).build());

        assertThat(progress.now().sentBytes()).isPositive();
        assertWhole();
    }

    @Test
    void aPresentBlockThatIsFarTooLargeIsWrittenAgain() throws Exception {
        write(0, 2 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        String key = StoreLayout.block("orders", config(first).blocks().get(0).checksum());
        objects.write(key, ByteBuffer.allocate(5 * MIB));
        volume.snapshots().get(0).delete();

        backUp(volume.snapshot("two"));

        assertThat(progress.now().sentBytes()).isPositive();
        assertWhole();
    }

    @Test
    void aFullBackupWritesEverythingAgain() throws Exception {
        write(0, 4 * MIB, 1);
        Backup first = backUp(volume.snapshot("one"));
        for (BlockReference block : config(first).blocks()) {
            objects.write(StoreLayout.block("orders", block.checksum()), ByteBuffer.allocate(0));
        }

        Backup second = backUp(
                volume.snapshot("two"),
                BackupSpec.builder().mode(BackupMode.FULL).build());

        assertThat(config(second).parameters()).containsEntry("backup-mode", "full");
        assertThat(config(second).reuploadedBytes()).isEqualTo(first.newBytes());
        assertWhole();
    }

    @Test
    void aNameIsUsedOnce() throws Exception {
        write(0, 1, 1);
        Snapshot snapshot = volume.snapshot("one");
        BackupSpec spec = BackupSpec.builder().name("backup-1").build();
        Backup first = backUp(snapshot, spec);
        assertThatThrownBy(() -> backUp(snapshot, spec))
                .isInstanceOf(BackupExistsException.class)
                .hasMessageContaining("backup-1");
        assertThat(restored(first)).isEqualTo(content(snapshot));
    }

    @Test
    void aDeletionThatRunsKeepsBackupsAway() throws Exception {
        write(0, 1, 1);
        Snapshot snapshot = volume.snapshot("one");
        try (StoreLock deletion = StoreLock.acquire(objects, "orders", StoreLock.Kind.DELETION, time)) {
            assertThatThrownBy(() -> backUp(snapshot))
                    .isInstanceOf(BackupTargetBusyException.class)
                    .hasMessageContaining(deletion.name());
            assertThat(store.backups("orders")).isEmpty();
        }
        assertThat(restored(backUp(snapshot))).isEqualTo(content(snapshot));
    }

    @Test
    void aStubIsRemovedWhenItsMakerIsGoneAndNotBefore() throws Exception {
        write(0, 4 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        backUp(one);
        String stub = StoreLayout.backupConfig("orders", "backup-stub");
        ByteBuffer document = ConfigJson.document(new BackupConfig(
                "backup-stub", "orders", "", "", "", 0, Map.of(), Map.of(), false, "lz4", 0, 0, List.of()));
        objects.write(stub, document);
        try (StoreLock other = StoreLock.acquire(objects, "orders", StoreLock.Kind.BACKUP_OR_RESTORE, time)) {
            backUp(one);
            assertThat(objects.find(stub))
                    .as("while " + other.name() + " holds")
                    .isPresent();
        }
        backUp(one);
        assertThat(objects.find(stub)).isEmpty();
    }

    @Test
    void aBackupThatAListingDoesNotShowYetIsNoBaseAndItsBlocksAreFound() throws Exception {
        BackupStore late = BackupStore.on(new LaggingStore(objects, time, Duration.ofSeconds(3)), time);
        write(0, 6 * MIB, 1);
        Backup first = backUp(late, volume.snapshot("one"), BackupSpec.defaults());
        write(0, MIB, 2);
        Snapshot two = volume.snapshot("two");
        Backup second = backUp(late, two, BackupSpec.defaults());
        assertThat(second.newBytes()).isLessThan(3L * MIB);
        assertThat(restored(second)).isEqualTo(content(two));

        time.pass(Duration.ofSeconds(3));
        late.delete("orders", first.name());
        assertThat(restored(second)).isEqualTo(content(two));
        assertWhole();
    }

    @Test
    void whateverStepIsTheLastNothingIsLostAndTheNextRunCompletes() throws Exception {
        write(0, 4 * MIB, 1);
        Snapshot one = volume.snapshot("one");
        Backup first = backUp(one);
        write(2 * MIB, 6 * MIB, 2);
        Snapshot two = volume.snapshot("two");
        MemoryStore before = objects.copy();
        int steps = stepsOf(before.copy(), two);
        assertThat(steps).isGreaterThan(15);

        for (int step = 0; step <= steps; step++) {
            MemoryStore left = before.copy();
            StepStore dying = new StepStore(left, step);
            Throwable failure = null;
            try {
                backUp(
                        BackupStore.on(dying, time),
                        two,
                        BackupSpec.builder().name("backup-2").workers(1).build());
            } catch (Exception e) {
                failure = e;
            }
            assertThat(failure != null).as("step " + step).isEqualTo(step < steps - 1);
            BackupStore after = BackupStore.on(left, time);
            BackupVerification verification = new BackupVerification(after).all(ProgressListener.none());
            assertThat(verification.damages()).as("step " + step).isEmpty();
            long arrived = blocksOf(left);

            time.pass(Duration.ofMinutes(5));
            Backup third =
                    backUp(after, two, BackupSpec.builder().name("backup-3").build());
            assertThat(blocksOf(left)).as("step " + step).isEqualTo(5);
            assertThat(config(after, third).newlyUploadedBytes() == 0)
                    .as("step %d: what had arrived is not sent again", step)
                    .isEqualTo(arrived == 5);
            assertThat(config(after, third).reuploadedBytes()).isZero();
            assertThat(stubs(after)).isEmpty();
            assertRestores(after, third, two);
            assertRestores(after, first, one);
            after.delete("orders", first.name());
            assertRestores(after, third, two);
        }
    }

    private static List<String> stubs(BackupStore of) {
        return of.backups("orders").stream()
                .filter(name -> of.backup("orders", name).isInProgress())
                .toList();
    }

    private static BackupConfig config(BackupStore of, Backup backup) {
        return of.completeBackup("orders", backup.name());
    }

    private void assertRestores(BackupStore from, Backup backup, Snapshot snapshot) throws IOException {
        Path image = directory.resolve("image");
        new BackupExport(from, "orders", backup.name()).to(image, true, ProgressListener.none());
        assertThat(Arrays.equals(Files.readAllBytes(image), content(snapshot))).isTrue();
    }

    private static long blocksOf(MemoryStore objects) throws IOException {
        long[] count = {0};
        objects.list(StoreLayout.blocks("orders"), entry -> count[0]++);
        return count[0];
    }

    private int stepsOf(MemoryStore objects, Snapshot snapshot) throws Exception {
        StepStore counting = new StepStore(objects, Integer.MAX_VALUE);
        backUp(
                BackupStore.on(counting, time),
                snapshot,
                BackupSpec.builder().name("backup-2").workers(1).build());
        return counting.steps();
    }
}
