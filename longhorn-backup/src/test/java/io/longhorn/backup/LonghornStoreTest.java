package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupInProgressException;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTarget;
import io.longhorn.DamagedBackupException;
import io.longhorn.ProgressListener;
import io.longhorn.TransferException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A store that Longhorn wrote: all of it is read, and every document is written as Longhorn wrote it. */
class LonghornStoreTest {
    private static final String PARTIAL = "fx-partial";
    private static final String STUB = "backup-933bb6fb5e714293";

    @TempDir
    private Path directory;

    static List<LonghornFixture.Expected> backups() throws IOException {
        return LonghornFixture.backups();
    }

    private static BackupStore store(Path folder) {
        return BackupStore.open(BackupTarget.at(folder.toUri()));
    }

    private static String sha256(Path file) throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 20];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                sha256.update(buffer, 0, count);
            }
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    @ParameterizedTest
    @MethodSource("backups")
    void everyBackupIsExportedByteForByte(LonghornFixture.Expected expected) throws Exception {
        Path image = directory.resolve("image");
        List<Long> progress = new ArrayList<>();
        try (BackupStore store = store(LonghornFixture.directory())) {
            long bytes = new BackupExport(store, expected.volume(), expected.backup())
                    .to(image, false, (done, total) -> progress.add(done * 100 / total));
            assertThat(bytes).isEqualTo(expected.volumeBytes());
        }
        assertThat(Files.size(image)).isEqualTo(expected.volumeBytes());
        assertThat(sha256(image)).isEqualTo(expected.sha256());
        assertThat(progress).isSorted().endsWith(100L);
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).containsExactly(image);
        }
    }

    @ParameterizedTest
    @MethodSource("backups")
    void everyBackupIsDescribed(LonghornFixture.Expected expected) {
        try (BackupStore store = store(LonghornFixture.directory())) {
            BackupConfig config = store.completeBackup(expected.volume(), expected.backup());
            assertThat(config.snapshotName()).isEqualTo(expected.snapshot());
            assertThat(config.blockBytes()).isEqualTo(expected.blockBytes());
            assertThat(config.compression()).isEqualTo(expected.compression());
            assertThat(config.isIncremental()).isEqualTo(expected.isIncremental());
            assertThat(config.blocks())
                    .extracting(BlockReference::offsetBytes)
                    .containsExactlyElementsOf(expected.offsets());
            VolumeConfig volume = store.volume(expected.volume()).orElseThrow();
            assertThat(volume.compression()).isEqualTo(expected.compression());
            assertThat(volume.sizeBytes()).isEqualTo(expected.volumeBytes());
            assertThat(store.backups(expected.volume())).contains(expected.backup());
        }
    }

    @Test
    void verificationOfAllVolumesReadsEachBlockOnceAndNeverGoesBack() throws IOException {
        List<Long> done = new ArrayList<>();
        try (BackupStore store = store(LonghornFixture.copyTo(directory.resolve("store")))) {
            BackupVerification verification = new BackupVerification(store).all((doneBytes, totalBytes) -> {
                assertThat(doneBytes).isLessThanOrEqualTo(totalBytes);
                done.add(doneBytes);
            });
            long blocks = 0;
            long bytes = 0;
            for (String volume : store.volumes()) {
                ChecksumSet distinct = new ChecksumSet();
                for (String backup : store.backups(volume)) {
                    BackupConfig config = store.backup(volume, backup);
                    int before = distinct.size();
                    distinct.addAll(config.blocks());
                    bytes += (distinct.size() - before) * (long) config.blockBytes();
                }
                blocks += distinct.size();
            }
            assertThat(verification.damages()).isEmpty();
            assertThat(verification.blocks()).isEqualTo(blocks);
            assertThat(done).isSorted().endsWith(bytes);
        }
    }

    @Test
    void volumesAreFoundByTheirNames() throws IOException {
        try (BackupStore store = store(LonghornFixture.directory())) {
            assertThat(store.volumes())
                    .containsExactlyElementsOf(backups().stream()
                            .map(LonghornFixture.Expected::volume)
                            .distinct()
                            .sorted()
                            .toList());
            assertThat(store.volume("never-there")).isEmpty();
            assertThat(store.backups("never-there")).isEmpty();
        }
    }

    @Test
    void documentsAreWrittenAsLonghornWroteThem() throws IOException {
        List<Path> documents;
        try (Stream<Path> files = Files.walk(LonghornFixture.directory())) {
            documents = files.filter(file -> file.toString().endsWith(".cfg")).toList();
        }
        assertThat(documents).hasSizeGreaterThan(20);
        for (Path document : documents) {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(document));
            ByteBuffer written = document.endsWith("volume.cfg")
                    ? ConfigJson.document(ConfigJson.volume(bytes))
                    : ConfigJson.document(ConfigJson.backup(bytes));
            assertThat(StandardCharsets.UTF_8.decode(written).toString())
                    .as(document.toString())
                    .isEqualTo(StandardCharsets.UTF_8.decode(bytes).toString());
        }
    }

    @Test
    void aBackupInProgressIsListedAndNotRead() {
        try (BackupStore store = store(LonghornFixture.directory())) {
            assertThat(store.backups(PARTIAL)).contains(STUB);
            assertThat(store.backup(PARTIAL, STUB).isInProgress()).isTrue();
            assertThatThrownBy(() -> export(store, PARTIAL, STUB))
                    .isInstanceOfSatisfying(BackupInProgressException.class, e -> {
                        assertThat(e.volume()).isEqualTo(PARTIAL);
                        assertThat(e.backup()).isEqualTo(STUB);
                        assertThat(e.target()).isEqualTo(store.describe());
                    });
        }
    }

    private void export(BackupStore store, String volume, String backup) {
        new BackupExport(store, volume, backup).to(directory.resolve("image"), false, ProgressListener.none());
    }

    @Test
    void whatIsNotThereIsNamed() {
        try (BackupStore store = store(LonghornFixture.directory())) {
            assertThatThrownBy(() -> export(store, "fx-lz4", "backup-0"))
                    .isInstanceOf(BackupNotFoundException.class)
                    .hasMessageContaining("fx-lz4")
                    .hasMessageContaining("backup-0");
            assertThatThrownBy(() -> store.backups("../fx-lz4"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'../fx-lz4'");
        }
    }

    @Test
    void aMissingBlockIsNamedAndNoImageAppears() throws IOException {
        LonghornFixture.Expected some = backups().get(0);
        try (BackupStore store = store(LonghornFixture.copyTo(directory.resolve("store")))) {
            BlockReference last = last(store.completeBackup(some.volume(), some.backup()));
            Path block = blockFile(some.volume(), last);
            Files.delete(block);
            assertDamaged(store, some, last, "missing", String.valueOf(last.offsetBytes()));
        }
    }

    @Test
    void aBlockWithOtherBytesIsNamedAndNoImageAppears() throws IOException {
        for (LonghornFixture.Expected some : backups()) {
            Path folder = Files.createTempDirectory(directory, "store");
            try (BackupStore store = store(LonghornFixture.copyTo(folder))) {
                BlockReference last = last(store.completeBackup(some.volume(), some.backup()));
                Path block = folder.resolve(StoreLayout.block(some.volume(), last.checksum()));
                byte[] bytes = Files.readAllBytes(block);
                bytes[bytes.length / 2] ^= 4;
                Files.write(block, bytes);
                assertDamaged(store, some, last, "");
                Files.write(block, Arrays.copyOf(bytes, bytes.length / 2));
                assertDamaged(store, some, last, "");
            }
        }
    }

    private Path blockFile(String volume, BlockReference block) {
        return directory.resolve("store").resolve(StoreLayout.block(volume, block.checksum()));
    }

    private static BlockReference last(BackupConfig backup) {
        return backup.blocks().get(backup.blocks().size() - 1);
    }

    private void assertDamaged(
            BackupStore store, LonghornFixture.Expected backup, BlockReference block, String... contained) {
        assertThatThrownBy(() -> export(store, backup.volume(), backup.backup()))
                .hasMessageContainingAll(contained)
                .isInstanceOfSatisfying(DamagedBackupException.class, e -> {
                    assertThat(e.key()).isEqualTo(StoreLayout.block(backup.volume(), block.checksum()));
                    assertThat(e.volume()).isEqualTo(backup.volume());
                    assertThat(e.backup()).isEqualTo(backup.backup());
                    assertThat(e.target()).isEqualTo(store.describe());
                    assertThat(e.reason()).isNotEmpty();
                });
        assertThat(directory.resolve("image")).doesNotExist();
        assertThat(directory.resolve("image.partial")).doesNotExist();
    }

    @Test
    void anImageThatIsThereIsKeptUnlessToldOtherwise() throws Exception {
        LonghornFixture.Expected some = backups().get(0);
        Path image = directory.resolve("image");
        Files.writeString(image, "precious");
        Path others = directory.resolve("image.partial");
        Files.writeString(others, "of an export that runs");
        try (BackupStore store = store(LonghornFixture.directory())) {
            assertThatThrownBy(() -> export(store, some.volume(), some.backup()))
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining(image.toString())
                    .hasMessageContaining("exists");
            assertThat(image).hasContent("precious");
            assertThat(others).hasContent("of an export that runs");
            new BackupExport(store, some.volume(), some.backup()).to(image, true, ProgressListener.none());
        }
        assertThat(sha256(image)).isEqualTo(some.sha256());
    }
}
