package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.ProgressListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Deletions in the store that Longhorn wrote. */
class BackupDeletionTest {
    private static final String VOLUME = "fx-lz4";
    private static final String FIRST = "backup-58dac2edb3cd444a";
    private static final String SECOND = "backup-ae9f04eb9c024d7f";
    private static final String THIRD = "backup-eb1887c585c14920";

    private final TurnedTime time = new TurnedTime();
    private final MemoryStore objects = new MemoryStore(time);
    private final BackupStore store = BackupStore.on(objects, time);

    @BeforeEach
    void load() throws IOException {
        Path root = LonghornFixture.directory();
        try (Stream<Path> files = Files.walk(root.resolve("backupstore"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isRegularFile(file) && !file.toString().endsWith(".lck")) {
                    objects.write(root.relativize(file).toString(), ByteBuffer.wrap(Files.readAllBytes(file)));
                }
            }
        }
    }

    private List<String> blocks(String volume) throws IOException {
        List<String> keys = new ArrayList<>();
        objects.list(StoreLayout.blocks(volume), entry -> {
            if (entry.key().endsWith(".blk")) {
                keys.add(entry.key());
            }
        });
        return keys;
    }

    private BackupVerification verified() {
        return new BackupVerification(store).all(ProgressListener.none());
    }

    @Test
    void blocksThatOthersNeedStayAndTheRestGoes() throws Exception {
        int before = blocks(VOLUME).size();
        ChecksumSet needed = new ChecksumSet();
        for (String rest : List.of(SECOND, THIRD)) {
            store.backup(VOLUME, rest).blocks().forEach(block -> needed.add(block.checksum()));
        }

        long bytes = store.delete(VOLUME, FIRST);

        assertThat(bytes).isPositive();
        assertThat(blocks(VOLUME)).hasSize(needed.size()).hasSizeLessThan(before);
        assertThat(store.backups(VOLUME)).containsExactly(SECOND, THIRD);
        VolumeConfig volume = store.volume(VOLUME).orElseThrow();
        assertThat(volume.blockCount()).isEqualTo(needed.size());
        assertThat(volume.lastBackupName()).isEqualTo(THIRD);
        assertThat(verified().damages()).isEmpty();
        assertThat(objects.names(StoreLayout.locks(VOLUME))).isEmpty();
    }

    @Test
    void whenTheLastIsDeletedTheNewestOfTheRestIs() throws Exception {
        store.delete(VOLUME, THIRD);
        VolumeConfig volume = store.volume(VOLUME).orElseThrow();
        assertThat(volume.lastBackupName()).isEqualTo(SECOND);
        assertThat(volume.lastBackupAt()).isEqualTo(store.backup(VOLUME, SECOND).snapshotCreatedAt());

        store.delete(VOLUME, SECOND);
        store.delete(VOLUME, FIRST);
        assertThat(blocks(VOLUME)).isEmpty();
        assertThat(store.volume(VOLUME).orElseThrow().lastBackupName()).isEmpty();
        assertThat(verified().damages()).isEmpty();
    }

    @Test
    void nothingIsSweptWhileAnotherIsInProgress() throws Exception {
        String volume = "fx-partial";
        List<String> before = blocks(volume);
        assertThat(store.delete(volume, "backup-8f59921beab34fbf")).isZero();
        assertThat(blocks(volume)).isEqualTo(before);
        assertThat(store.backups(volume)).containsExactly("backup-933bb6fb5e714293");

        store.delete(volume, "backup-933bb6fb5e714293");
        assertThat(blocks(volume)).as("the stub was what kept them").isEmpty();
    }

    @Test
    void nothingIsSweptBesideADocumentThatCannotBeReadAndItCanBeDeleted() throws Exception {
        objects.write(StoreLayout.backupConfig(VOLUME, SECOND), ByteBuffer.wrap(new byte[] {'{'}));
        int before = blocks(VOLUME).size();
        assertThat(store.delete(VOLUME, FIRST)).isZero();
        assertThat(blocks(VOLUME)).hasSize(before);

        assertThat(store.delete(VOLUME, SECOND)).isPositive();
        assertThat(store.backups(VOLUME)).containsExactly(THIRD);
        assertThat(verified().damages()).isEmpty();
    }

    @Test
    void aBackupThatRunsKeepsDeletionsAway() throws Exception {
        try (StoreLock backup = StoreLock.acquire(objects, VOLUME, StoreLock.Kind.BACKUP_OR_RESTORE, time)) {
            assertThatThrownBy(() -> store.delete(VOLUME, FIRST))
                    .isInstanceOf(BackupTargetBusyException.class)
                    .hasMessageContaining(backup.name());
            assertThat(store.backups(VOLUME)).contains(FIRST);
        }
    }

    @Test
    void whatIsNotThereIsNamedAndNoLockStays() {
        assertThatThrownBy(() -> store.delete(VOLUME, "backup-0"))
                .isInstanceOf(BackupNotFoundException.class)
                .hasMessageContaining("backup-0");
        assertThat(objects.names(StoreLayout.locks(VOLUME))).isEmpty();
    }

    @Test
    void whateverStepIsTheLastNothingThatIsNeededIsMissingAndTheNextDeletionCompletes() throws Exception {
        MemoryStore before = objects.copy();
        StepStore counting = new StepStore(before.copy(), Integer.MAX_VALUE);
        BackupStore.on(counting, time).delete(VOLUME, FIRST);
        assertThat(counting.steps()).isGreaterThan(15);

        for (int step = 0; step < counting.steps() - 1; step++) {
            MemoryStore left = before.copy();
            BackupStore dying = BackupStore.on(new StepStore(left, step), time);
            assertThatThrownBy(() -> dying.delete(VOLUME, FIRST)).isInstanceOf(BackupTargetException.class);

            BackupStore after = BackupStore.on(left, time);
            assertThat(new BackupVerification(after)
                            .all(ProgressListener.none())
                            .damages())
                    .as("step " + step)
                    .isEmpty();
            time.pass(Duration.ofMinutes(5));
            after.delete(VOLUME, SECOND);
            if (after.backups(VOLUME).contains(FIRST)) {
                after.delete(VOLUME, FIRST);
            }
            ChecksumSet needed = new ChecksumSet();
            needed.addAll(after.backup(VOLUME, THIRD).blocks());
            int[] blocks = {0};
            left.list(StoreLayout.blocks(VOLUME), entry -> blocks[0]++);
            assertThat(blocks[0]).as("step " + step).isEqualTo(needed.size());
            assertThat(after.volume(VOLUME).orElseThrow().lastBackupName()).isEqualTo(THIRD);
        }
    }

    @Test
    void aListingThatLagsMakesNothingMissing() throws Exception {
        ByteBuffer third =
                objects.read(StoreLayout.backupConfig(VOLUME, THIRD), 1 << 20).orElseThrow();
        objects.delete(List.of(StoreLayout.backupConfig(VOLUME, THIRD)));
        for (long millis : new long[] {0, 1500, 2000, 25_000}) {
            MemoryStore there = objects.copy();
            LaggingStore late = new LaggingStore(there, time, Duration.ofMillis(millis));
            BackupStore lateStore = BackupStore.on(late, time);
            // A backup is completed in the last moment in which it may be.
            time.whileAsleep =
                    () -> assertThatCode(() -> late.write(StoreLayout.backupConfig(VOLUME, THIRD), third.duplicate()))
                            .doesNotThrowAnyException();
            lateStore.delete(VOLUME, FIRST);
            assertThat(new BackupVerification(BackupStore.on(there, time))
                            .all(ProgressListener.none())
                            .damages())
                    .as("%s ms", millis)
                    .isEmpty();

            lateStore.delete(VOLUME, SECOND);
            ChecksumSet needed = new ChecksumSet();
            needed.addAll(lateStore.backup(VOLUME, THIRD).blocks());
            List<String> left = new ArrayList<>();
            there.list(StoreLayout.blocks(VOLUME), entry -> left.add(entry.key()));
            assertThat(left).as("%s ms", millis).hasSize(needed.size());
        }
    }

    @Test
    void aListingWithoutABackupThatIsThereSweepsNothing() throws Exception {
        String folder = StoreLayout.backups(VOLUME);
        WatchedStore forgetful = new WatchedStore(objects);
        forgetful.naming = (of, names) -> of.equals(folder) ? List.of() : names;
        assertThat(BackupStore.on(forgetful, time).delete(VOLUME, FIRST)).isZero();
        assertThat(verified().damages()).isEmpty();
    }

    @Test
    void aListingThatGoesOnShowingWhatWasDeletedSweepsNothing() throws Exception {
        String folder = StoreLayout.backups(VOLUME);
        List<String> before = objects.names(folder);
        int blocks = blocks(VOLUME).size();
        WatchedStore late = new WatchedStore(objects);
        late.naming = (of, names) -> of.equals(folder) ? before : names;
        assertThat(BackupStore.on(late, time).delete(VOLUME, FIRST)).isZero();
        assertThat(store.backups(VOLUME)).containsExactly(SECOND, THIRD);
        assertThat(blocks(VOLUME)).hasSize(blocks);

        // The next one takes them, too.
        store.delete(VOLUME, SECOND);
        ChecksumSet needed = new ChecksumSet();
        needed.addAll(store.backup(VOLUME, THIRD).blocks());
        assertThat(blocks(VOLUME)).hasSize(needed.size());
    }

    @Test
    void nothingIsDeletedWhereListingsDoNotCatchUp() {
        LaggingStore late = new LaggingStore(objects, time, Duration.ofHours(1));
        assertThatThrownBy(() -> BackupStore.on(late, time).delete(VOLUME, FIRST))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("is in no listing");
        assertThat(store.backups(VOLUME)).containsExactly(FIRST, SECOND, THIRD);
        assertThat(verified().damages()).isEmpty();
    }
}
