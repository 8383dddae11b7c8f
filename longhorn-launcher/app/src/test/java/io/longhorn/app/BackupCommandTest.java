package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.Longhorn;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code longhorn backup} on a store that Longhorn wrote. */
class BackupCommandTest {
    private static final Path WRITTEN_BY_LONGHORN = Path.of("../../longhorn-backup/src/test/resources/longhorn-store");
    private static final String NAMED = "?backup=backup-58dac2edb3cd444a&volume=fx-lz4";

    @TempDir
    private Path directory;

    private Path store;
    private String target;

    @BeforeEach
    void copy() throws IOException {
        store = directory.resolve("store");
        try (Stream<Path> files = Files.walk(WRITTEN_BY_LONGHORN)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path copy = store.resolve(WRITTEN_BY_LONGHORN.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        target = store.toUri().toString();
    }

    private static CommandLineRun backup(String... arguments) {
        return CommandLineRun.of(
                Stream.concat(Stream.of("backup"), Stream.of(arguments)).toArray(String[]::new));
    }

    private Path someBlock() throws IOException {
        // One that only the first volume's backups have: the name of its folder is the hash of the volume's name.
        try (Stream<Path> files = Files.walk(store.resolve("backupstore/volumes"))) {
            return files.filter(file ->
                            file.toString().endsWith(".blk") && file.toString().contains("/fx-lz4/"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void completeBackupsOfAllVolumesAreListed() {
        CommandLineRun run = backup("list", target);
        assertThat(run.exitCode()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines()).hasSize(18);
        assertThat(run.out())
                .contains("volume fx-lz4 backup backup-58dac2edb3cd444a of 2026-11-22T", "snapshot snap-d2820b56")
                .doesNotContain("backup-933bb6fb5e714293");
    }

    @Test
    void listIsPrintedAsJson() {
        CommandLineRun run = backup("list", target, "--json");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .startsWith("[")
                .contains(
                        "\"volume\": \"Fx.Odd_Name-0..A-\"",
                        "\"name\": \"backup-58dac2edb3cd444a\"",
                        "\"sizeBytes\": 20971520",
                        "\"snapshot\": \"snap-d2820b56\"",
                        "\"app\": \"ledger\"");
    }

    @Test
    void aTargetWithoutAStoreIsEmpty() {
        CommandLineRun run = backup("list", directory.resolve("nothing").toUri().toString());
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEmpty();
    }

    @Test
    void oneIsDescribed() {
        CommandLineRun run = backup("inspect", target + NAMED);
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains(
                        "\"blocks\": 10",
                        "\"compression\": \"lz4\"",
                        "\"blockBytes\": 2097152",
                        "\"incremental\": false");
        MainTest.assertFailed(
                backup("inspect", target + "?backup=backup-933bb6fb5e714293&volume=fx-partial"),
                "backup-933bb6fb5e714293",
                "still in progress");
    }

    @Test
    void everythingIsVerified() throws IOException {
        CommandLineRun run = backup("verify", target);
        assertThat(run.exitCode()).as(run.out()).isZero();
        assertThat(run.out()).contains("18 backups and ", " blocks verified, all right; 1 in progress");

        Path block = someBlock();
        byte[] bytes = Files.readAllBytes(block);
        bytes[bytes.length / 2] ^= 1;
        Files.write(block, bytes);
        CommandLineRun damaged = backup("verify", target);
        assertThat(damaged.exitCode()).isEqualTo(Main.FAILED);
        assertThat(damaged.out())
                .contains("DAMAGED ", block.getFileName().toString(), "of volume fx-lz4: ", "1 damages");
    }

    @Test
    void damagedDocumentsAreNamedAndTheRestIsListed() throws IOException {
        Path document;
        try (Stream<Path> files = Files.walk(store)) {
            document = files.filter(file -> file.endsWith("backup_backup-58dac2edb3cd444a.cfg"))
                    .findFirst()
                    .orElseThrow();
        }
        Files.writeString(document, "{");
        CommandLineRun list = backup("list", target);
        assertThat(list.exitCode()).isEqualTo(Main.FAILED);
        assertThat(list.out().lines()).hasSize(17);
        assertThat(list.err()).contains("backup-58dac2edb3cd444a", "damaged");
        assertThat(backup("verify", target).out()).contains("DAMAGED", "backup_backup-58dac2edb3cd444a.cfg");
    }

    @Test
    void oneIsExported() throws IOException {
        Path image = directory.resolve("image");
        CommandLineRun run = backup("export", target + NAMED, image.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains(image.toString(), "33554432 bytes");
        assertThat(run.err()).contains("exported: 100 %");
        assertThat(Files.size(image)).isEqualTo(33554432);

        MainTest.assertFailed(backup("export", target + NAMED, image.toString()), image.toString(), "exists");
        assertThat(backup("export", "--force", target + NAMED, image.toString()).exitCode())
                .isZero();
    }

    @Test
    void oneIsDeleted() {
        CommandLineRun run = backup("delete", target + NAMED);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("backup-58dac2edb3cd444a deleted").doesNotContain(" 0 bytes");
        assertThat(backup("list", target).out().lines()).hasSize(17);
        assertThat(backup("verify", target).exitCode()).isZero();
        MainTest.assertFailed(backup("delete", target + NAMED), "backup-58dac2edb3cd444a", "fx-lz4");
    }

    @Test
    void wrongUsageSaysWhatIsExpected() {
        for (String url : new String[] {target, target + "?backup=b1", "hello", "file:///a b?backup=b1&volume=v1"}) {
            CommandLineRun run = backup("inspect", url);
            assertThat(run.exitCode()).as(url).isEqualTo(Main.WRONG_USAGE);
            assertThat(run.err()).contains("TARGET?backup=NAME&volume=VOLUME", url);
        }
        assertThat(backup().exitCode()).isEqualTo(Main.WRONG_USAGE);
        CommandLineRun scheme = backup("list", "gopher://host/path");
        assertThat(scheme.exitCode()).isEqualTo(Main.FAILED);
        assertThat(scheme.err()).contains("gopher", "file", "vfs", "s3");
        CommandLineRun bucket = backup("list", "s3://bucket/path/?region=eu-west-1");
        assertThat(bucket.exitCode()).isEqualTo(Main.FAILED);
        assertThat(bucket.err()).contains("a bucket takes no parameters");
    }

    @Test
    void aVolumeIsBackedUpIncrementallyAndRestored() {
        Path data = directory.resolve("data");
        byte[] first = new byte[3 << 20];
        new Random(1).nextBytes(first);
        try (Longhorn longhorn = Longhorn.embedded(data)) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("orders").sizeBytes(8 << 20).build());
            volume.write(0, ByteBuffer.wrap(first));
            volume.snapshot("mine");
        }
        CommandLineRun full = backup("create", "orders", target, "--dir", data.toString(), "--name", "backup-1");
        assertThat(full.err()).contains("backed up: ");
        assertThat(full.exitCode()).isZero();
        assertThat(full.out()).contains("backup backup-1 of volume orders, snapshot backup-20", "4194304 bytes");
        CommandLineRun again = backup("create", "orders", target, "--dir", data.toString(), "--label", "why=test");
        assertThat(again.out()).contains(" 0 new at the target");
        CommandLineRun named =
                backup("create", "orders@mine", target, "--dir", data.toString(), "--compression", "GZIP", "--full");
        assertThat(named.exitCode()).isZero();
        assertThat(named.out()).contains("snapshot mine");
        assertThat(backup("create", "orders@none", target, "--dir", data.toString())
                        .err())
                .contains("no snapshot none", "mine");

        CommandLineRun restored = backup(
                "restore",
                target + "?backup=backup-1&volume=orders",
                "copy",
                "--dir",
                data.toString(),
                "--size",
                String.valueOf(16 << 20));
        assertThat(restored.exitCode()).isZero();
        assertThat(restored.out()).isEqualTo("volume copy: 16777216 bytes, every block verified\n");
        try (Longhorn longhorn = Longhorn.embedded(data)) {
            ByteBuffer found = ByteBuffer.allocate(first.length);
            longhorn.open("copy").read(0, found);
            assertThat(found.array()).isEqualTo(first);
            assertThat(longhorn.open("orders").snapshots())
                    .extracting(Snapshot::name)
                    .hasSize(2)
                    .contains("mine");
            assertThat(backup("create", "orders", target, "--dir", data.toString())
                            .exitCode())
                    .as("the directory is in use")
                    .isEqualTo(Main.FAILED);
        }
        assertThat(backup("restore", target + "?backup=backup-9&volume=orders", "other", "--dir", data.toString())
                        .err())
                .contains("backup-9");
        assertThat(backup("create", "orders", target).exitCode()).isEqualTo(Main.WRONG_USAGE);
        assertThat(backup("create", "orders", target, "--dir", data.toString(), "--workers", "0")
                        .err())
                .contains("workers must be 1 to 64");
    }

    @Test
    void damagedBlocksAreRepairedFromAVolumeThatStillHasThem() throws IOException {
        Path data = directory.resolve("data");
        byte[] content = new byte[2 << 20];
        new Random(1).nextBytes(content);
        try (Longhorn longhorn = Longhorn.embedded(data)) {
            longhorn.create(VolumeSpec.named("orders").sizeBytes(8 << 20).build())
                    .write(0, ByteBuffer.wrap(content));
        }
        String own = directory.resolve("own").toUri().toString();
        assertThat(backup("create", "orders", own, "--dir", data.toString()).exitCode())
                .isZero();
        Path block;
        try (Stream<Path> files = Files.walk(directory.resolve("own"))) {
            block = files.filter(file -> file.toString().endsWith(".blk"))
                    .findFirst()
                    .orElseThrow();
        }
        Files.write(block, new byte[100]);

        CommandLineRun run = backup("verify", own, "--repair-from", "orders", "--dir", data.toString());
        assertThat(run.out()).contains("REPAIRED ", block.getFileName() + ": written again from volume orders");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(backup("verify", own).out()).contains("1 backups and 1 blocks verified, all right");

        assertThat(backup("verify", own, "--repair-from", "orders").exitCode()).isEqualTo(Main.WRONG_USAGE);
    }
}
