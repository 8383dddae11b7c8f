package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code longhorn check} on disks that a real server wrote, and then something happened to. */
class CheckCommandTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int BLOCKS = 64;

    @TempDir
    private Path directory;

    private ReplicaServers servers;

    @BeforeEach
    void start() throws Exception {
        // A name that needs escaping.
        Path parent = Files.createDirectory(directory.resolve("a \"quoted\"\tname"));
        servers = ReplicaServers.start(parent, 1);
    }

    @AfterEach
    void stop() {
        servers.close();
    }

    @Test
    void soundDiskIsDescribed() throws Exception {
        write();
        servers.stop();
        CommandLineRun run = check();
        assertThat(run.exitCode()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).contains("volume checked replica", "2 layers", BLOCKS + " blocks verified", "all right");
    }

    @Test
    void jsonNamesDirectoryAndReplicas() throws Exception {
        write();
        servers.stop();
        CommandLineRun run =
                CommandLineRun.of("check", "--json", servers.disk(0).toString());
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains(
                        "\"directory\": \"",
                        "a \\\"quoted\\\"\\u0009name",
                        "\"sound\": true",
                        "\"replicas\": [\n    \"volume checked replica ",
                        "\"blocks\": " + BLOCKS,
                        "\"damages\": [");
    }

    @Test
    void flippedBitIsFoundAndItsBlockNamed() throws Exception {
        write();
        servers.stop();
        LayerFiles layers = new LayerFiles(servers.disk(0), "checked");
        LayerFiles.flip(layers.holding(17, content(17)).orElseThrow(), 17, 100);
        assertDamaged("block 17 does not match its checksum");
        assertThat(CommandLineRun.of("check", "--json", servers.disk(0).toString())
                        .out())
                .contains("\"sound\": false", "block 17 does not match its checksum");
    }

    @Test
    void cutFilesAreFoundAndNamed() throws Exception {
        write();
        servers.stop();
        LayerFiles layers = new LayerFiles(servers.disk(0), "checked");
        Path data = layers.holding(17, content(17)).orElseThrow();
        long length = Files.size(data);
        cut(data, 10 * Volume.BLOCK_BYTES);
        assertDamaged("DAMAGED ", data.getParent().getFileName().toString());
        assertThat(Files.size(data)).as("the check changes nothing").isEqualTo(10 * Volume.BLOCK_BYTES);

        cut(data, length);
        Path meta = data.resolveSibling("replica.meta");
        cut(meta, Files.size(meta) - 1);
        assertDamaged("replica.meta");
    }

    @Test
    void everyByteOfABlockMapIsGuarded() throws Exception {
        write();
        servers.stop();
        LayerFiles layers = new LayerFiles(servers.disk(0), "checked");
        Path data = layers.holding(17, content(17)).orElseThrow();
        Path map = data.resolveSibling(data.getFileName().toString().replace(".data", ".map"));
        byte[] bytes = Files.readAllBytes(map);
        for (int at = 0; at < bytes.length; at += 97) {
            if (bytes[at] == 0) {
                continue;
            }
            bytes[at] ^= 0x10;
            Files.write(map, bytes);
            CommandLineRun run = check();
            // The copy of a page that is not the valid one may say anything.
            assertThat(run.exitCode()).as("byte " + at + ": " + run.out()).isIn(Main.DONE, Main.FAILED);
            assertThat(run.err()).isEmpty();
            bytes[at] ^= 0x10;
        }
        Files.write(map, new byte[bytes.length]);
        assertThat(check().out()).doesNotContain(BLOCKS + " blocks verified");
    }

    @Test
    void directoryThatIsNoDiskIsRefusedAndLeftAlone() throws Exception {
        Path foreign = Files.createDirectory(directory.resolve("foreign"));
        Files.writeString(foreign.resolve("letter"), "dear reader");
        CommandLineRun run = CommandLineRun.of("check", foreign.toString());
        MainTest.assertFailed(run, foreign.toString(), "disk.meta");
        try (Stream<Path> files = Files.list(foreign)) {
            assertThat(files).containsExactly(foreign.resolve("letter"));
        }
        Path missing = directory.resolve("missing");
        MainTest.assertFailed(CommandLineRun.of("check", missing.toString()), missing.toString());
        assertThat(missing).doesNotExist();
    }

    @Test
    void diskInUseIsRefused() throws Exception {
        write();
        MainTest.assertFailed(check(), servers.disk(0).toString(), "in use");
        servers.stop();
    }

    @Test
    void diskOfAKilledServerIsSoundWithRecordsWaitingInItsJournal() throws Exception {
        try (Longhorn longhorn = connect()) {
            Volume volume = longhorn.create(spec());
            for (int round = 0; round < 5; round++) {
                for (int block = 0; block < BLOCKS; block++) {
                    volume.write((long) block * Volume.BLOCK_BYTES, content(block + round));
                }
            }
            servers.kill(0);

            CommandLineRun run = check();
            assertThat(run.exitCode()).as(run.out()).isZero();
            assertThat(run.out()).contains("all right").doesNotContain(" 0 journal records");
            Map<Path, String> unchanged = files();
            assertThat(check().exitCode()).isZero();
            assertThat(files()).isEqualTo(unchanged);

            servers.restart(0);
            ByteBuffer found = ByteBuffer.allocate(Volume.BLOCK_BYTES);
            volume.read(3L * Volume.BLOCK_BYTES, found);
            assertThat(found.flip()).isEqualTo(content(3 + 4));
        }
        servers.stop();
    }

    private CommandLineRun check() {
        return CommandLineRun.of("check", servers.disk(0).toString());
    }

    private void assertDamaged(String... contained) {
        CommandLineRun run = check();
        assertThat(run.exitCode()).as(run.out()).isEqualTo(1);
        assertThat(run.out()).contains("DAMAGED ").contains(contained);
    }

    /** A snapshot of all blocks, and a head that overrides none. */
    private void write() throws Exception {
        try (Longhorn longhorn = connect()) {
            Volume volume = longhorn.create(spec());
            for (int block = 0; block < BLOCKS; block++) {
                volume.write((long) block * Volume.BLOCK_BYTES, content(block));
            }
            volume.snapshot("first");
        }
        LayerFiles layers = new LayerFiles(servers.disk(0), "checked");
        assertThat(Waiting.until(
                        LIMIT,
                        () -> layers.holding(BLOCKS - 1, content(BLOCKS - 1)).isPresent()))
                .isTrue();
    }

    private static VolumeSpec spec() {
        return VolumeSpec.named("checked")
                .sizeBytes((long) BLOCKS * Volume.BLOCK_BYTES)
                .replicas(1)
                .build();
    }

    private Longhorn connect() {
        return Longhorn.connect(LonghornConfig.builder()
                .registry(directory.resolve("registry"))
                .replicaServer(servers.address(0))
                .readCacheBytes(0)
                .build());
    }

    private static ByteBuffer content(int number) {
        ByteBuffer block = ByteBuffer.allocate(Volume.BLOCK_BYTES);
        while (block.hasRemaining()) {
            block.putLong(number * 0x9E3779B97F4A7C15L + block.position());
        }
        return block.flip();
    }

    private static void cut(Path file, long length) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            if (channel.size() < length) {
                channel.write(ByteBuffer.allocate(1), length - 1);
            } else {
                channel.truncate(length);
            }
        }
    }

    private Map<Path, String> files() throws IOException {
        Map<Path, String> content = new TreeMap<>();
        try (Stream<Path> files = Files.walk(servers.disk(0))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                content.put(file, FileSystemImage.sha256(file));
            }
        }
        return content;
    }
}
