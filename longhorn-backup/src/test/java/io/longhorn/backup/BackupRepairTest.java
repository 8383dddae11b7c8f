package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Backup;
import io.longhorn.BackupKeys;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Repairs from a real volume, in a store in memory. */
class BackupRepairTest {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = BackupSpec.BLOCK_BYTES_SMALL;
    private static final BackupTarget TARGET = BackupTarget.at(URI.create("file:///somewhere/"));

    @TempDir
    private Path directory;

    private final TurnedTime time = new TurnedTime();
    private final MemoryStore memory = new MemoryStore(time);
    private final WatchedStore objects = new WatchedStore(memory);
    private BackupStore store = BackupStore.on(objects, time);
    private Longhorn longhorn;
    private Volume volume;

    @BeforeEach
    void createVolume() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = create("orders");
    }

    @AfterEach
    void close() {
        longhorn.close();
    }

    /** Its last block is a part of one. */
    private Volume create(String name) {
        return longhorn.create(
                VolumeSpec.named(name).sizeBytes(8 * MIB + 4096).replicas(1).build());
    }

    private static void write(Volume to, long offset, int bytes, long seed) {
        byte[] data = new byte[bytes];
        new Random(seed).nextBytes(data);
        to.write(offset, ByteBuffer.wrap(data));
    }

    private Backup backUp(String snapshot) throws Exception {
        return new BackupRun(
                        store,
                        TARGET,
                        volume.snapshot(snapshot),
                        BackupSpec.defaults(),
                        "backup-" + snapshot,
                        new Throttle(0),
                        new BackupProgress())
                .run();
    }

    private String key(Backup backup, int index) {
        return StoreLayout.block(
                "orders",
                store.backup("orders", backup.name()).blocks().get(index).checksum());
    }

    private void flip(String key, int at) throws IOException {
        ByteBuffer bytes = memory.read(key, 8 * MIB).orElseThrow();
        bytes.put(at, (byte) (bytes.get(at) ^ 1));
        memory.write(key, bytes);
    }

    private List<BackupVerification.Damage> damages() {
        return new BackupVerification(store).all(ProgressListener.none()).damages();
    }

    private BackupRepair repaired(Volume from) throws InterruptedException {
        return new BackupRepair(store, from).run(damages());
    }

    private byte[] restored(Backup backup) throws IOException {
        Path image = directory.resolve("image");
        new BackupExport(store, "orders", backup.name()).to(image, true, ProgressListener.none());
        return Files.readAllBytes(image);
    }

    private static byte[] content(Volume of) {
        ByteBuffer content = ByteBuffer.allocate((int) of.sizeBytes());
        of.read(0, content);
        return content.array();
    }

    @Test
    void blocksMissingCutAndChangedAreWrittenAgainFromTheVolume() throws Exception {
        write(volume, 0, 8 * MIB + 4096, 1);
        Backup backup = backUp("one");
        memory.delete(List.of(key(backup, 0)));
        memory.write(
                key(backup, 1),
                memory.read(key(backup, 1), 8 * MIB).orElseThrow().limit(1000));
        flip(key(backup, 2), 70_000);
        memory.delete(List.of(key(backup, 4)));

        BackupRepair repair = repaired(volume);

        assertThat(repair.left()).isEmpty();
        assertThat(repair.repaired())
                .extracting(block -> block.damage().key())
                .containsExactlyInAnyOrder(key(backup, 0), key(backup, 1), key(backup, 2), key(backup, 4));
        assertThat(repair.repaired().get(0).toString()).contains("orders", ".blk", "volume orders");
        assertThat(damages()).isEmpty();
        assertThat(restored(backup)).isEqualTo(content(volume));
        assertThat(objects.names(StoreLayout.locks("orders"))).isEmpty();
    }

    @Test
    void whatTheVolumeLostIsFoundInItsSnapshots() throws Exception {
        write(volume, 0, 4 * MIB, 1);
        Backup first = backUp("one");
        byte[] expected = content(volume);
        write(volume, 0, 2 * MIB, 2);
        Backup second = backUp("two");
        volume.discard(0, 4 * MIB);
        memory.delete(List.of(key(first, 0), key(second, 0), key(second, 1)));

        BackupRepair repair = repaired(volume);

        assertThat(repair.left()).isEmpty();
        assertThat(repair.repaired())
                .extracting(BackupRepair.Repaired::source)
                .containsExactlyInAnyOrder(
                        "snapshot two of volume orders",
                        "snapshot two of volume orders",
                        "snapshot one of volume orders");
        assertThat(restored(first)).isEqualTo(expected);
        assertThat(damages()).isEmpty();
    }

    @Test
    void whatIsNowhereStaysDamagedAndNothingIsWritten() throws Exception {
        write(volume, 0, 4 * MIB, 1);
        Backup backup = backUp("one");
        volume.snapshots().forEach(Snapshot::delete);
        write(volume, 0, 10, 2);
        volume.discard(BLOCK, BLOCK);
        memory.delete(List.of(key(backup, 0), key(backup, 1)));
        objects.writing = key -> assertThat(key).endsWith(".lck");

        BackupRepair repair = repaired(volume);

        assertThat(repair.repaired()).isEmpty();
        assertThat(repair.left()).hasSize(2).allSatisfy(damage -> {
            assertThat(damage.reason()).contains("it is missing", "neither volume orders nor its snapshots");
            assertThat(damage.backups()).containsExactly(backup.name());
        });
    }

    @Test
    void aGoodBlockIsNeverReplacedNorOneThatNobodyNeeds() throws Exception {
        write(volume, 0, 4 * MIB, 1);
        Backup backup = backUp("one");
        String unused = StoreLayout.block("orders", "ab".repeat(32));
        objects.writing = key -> assertThat(key).endsWith(".lck");

        BackupRepair repair = new BackupRepair(store, volume)
                .run(List.of(
                        new BackupVerification.Damage("orders", key(backup, 0), "it was wrong once", List.of()),
                        new BackupVerification.Damage("orders", unused, "it is missing", List.of())));

        assertThat(repair.repaired()).isEmpty();
        assertThat(repair.left()).isEmpty();
        assertThat(memory.find(unused)).isEmpty();
    }

    @Test
    void anotherVolumeWithTheSameContentDoesAsWell() throws Exception {
        write(volume, 0, 4 * MIB, 1);
        Backup backup = backUp("one");
        Volume copy = create("copy");
        write(copy, 0, 4 * MIB, 1);
        memory.delete(List.of(key(backup, 1)));

        assertThat(repaired(copy).repaired())
                .extracting(BackupRepair.Repaired::source)
                .containsExactly("volume copy");
        assertThat(damages()).isEmpty();
    }

    @Test
    void documentsAreNotRepairedAndSayWhy() throws Exception {
        write(volume, 0, 10, 1);
        Backup backup = backUp("one");
        memory.write(StoreLayout.backupConfig("orders", backup.name()), ByteBuffer.wrap(new byte[] {'{'}));

        BackupRepair repair = repaired(volume);

        assertThat(repair.left())
                .singleElement()
                .satisfies(damage -> assertThat(damage.reason()).contains("only blocks"));
    }

    @Test
    void aDeletionThatRunsKeepsRepairsAway() throws Exception {
        write(volume, 0, MIB, 1);
        Backup backup = backUp("one");
        memory.delete(List.of(key(backup, 0)));
        List<BackupVerification.Damage> damages = damages();
        try (StoreLock deletion = StoreLock.acquire(memory, "orders", StoreLock.Kind.DELETION, time)) {
            assertThatThrownBy(() -> new BackupRepair(store, volume).run(damages))
                    .isInstanceOf(BackupTargetBusyException.class)
                    .hasMessageContaining(deletion.name());
        }
        assertThat(memory.find(key(backup, 0))).isEmpty();
    }

    @Test
    void whatWasWrittenIsReadBackAndATargetThatRefusesIsSaid() throws Exception {
        write(volume, 0, MIB, 1);
        Backup backup = backUp("one");
        String key = key(backup, 0);
        memory.delete(List.of(key));
        List<BackupVerification.Damage> damages = damages();

        objects.writing = written -> {
            if (written.equals(key)) {
                throw new IOException("the disk is full");
            }
        };
        assertThatThrownBy(() -> new BackupRepair(store, volume).run(damages))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("the disk is full");

        objects.writing = written -> {};
        objects.reading = read -> {
            if (read.equals(key) && memory.find(key).isPresent()) {
                flip(key, 70);
            }
        };
        BackupRepair repair = new BackupRepair(store, volume).run(damages);
        assertThat(repair.repaired()).isEmpty();
        assertThat(repair.left())
                .singleElement()
                .satisfies(damage -> assertThat(damage.reason()).contains("written again", "not right"));
    }

    @Test
    void encryptedStoresAreRepairedToo() throws Exception {
        store = BackupStore.on(
                objects, TARGET.encryptedWith(BackupKeys.of("key-1", new byte[BackupKeys.KEY_BYTES])), time);
        write(volume, 0, 4 * MIB, 1);
        Backup backup = backUp("one");
        flip(key(backup, 0), 70_000);
        flip(key(backup, 1), 3);

        assertThat(repaired(volume).repaired()).hasSize(2);
        assertThat(damages()).isEmpty();
        assertThat(restored(backup)).isEqualTo(content(volume));
    }
}
