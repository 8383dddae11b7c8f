package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DiskLockedException;
import io.longhorn.ForeignFileException;
import io.longhorn.Longhorn;
import io.longhorn.LonghornException;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directories that are given to {@link Longhorn#embedded}: good ones, and those that are something else. */
class EmbeddedDirectoryTest {
    @TempDir
    Path directory;

    /** Opens what is there; run as a process of its own. */
    static final class Opener {
        private Opener() {}

        public static void main(String[] arguments) {
            try (Longhorn longhorn = Longhorn.embedded(Path.of(arguments[0]))) {
                System.out.println("opened " + longhorn.volumes());
            } catch (LonghornException e) {
                System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }

    @Test
    void secondUserOfADirectoryIsTurnedAway() throws Exception {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("orders").sizeBytes(1 << 20).build());
            assertThatThrownBy(() -> Longhorn.embedded(directory))
                    .isInstanceOf(DiskLockedException.class)
                    .hasMessageContaining(directory.toRealPath().toString());
            assertThat(inAnotherProcess()).startsWith("DiskLockedException").contains(directory.toString());
            volume.write(0, ByteBuffer.wrap(new byte[] {1}));
        }
        assertThat(inAnotherProcess()).isEqualTo("opened [orders]");
    }

    private String inAnotherProcess() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Opener.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return said.lines().reduce((first, last) -> last).orElse("");
    }

    @Test
    void directoryIsMadeWhereItsParentIs() {
        Path mounted = directory.resolve("data");
        Longhorn.embedded(mounted).close();
        assertThat(mounted).isDirectory();

        Path unmounted = directory.resolve("mount/data");
        assertThatThrownBy(() -> Longhorn.embedded(unmounted))
                .isInstanceOf(LonghornException.class)
                .hasMessageContaining(unmounted.toString());
        assertThat(directory.resolve("mount")).doesNotExist();
    }

    @Test
    void strangersFilesAreNeitherUsedNorTouched() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "mine");
        assertThatThrownBy(() -> Longhorn.embedded(file))
                .isInstanceOf(LonghornException.class)
                .hasMessageContaining(file.toString());
        assertThat(file).hasContent("mine");

        Path foreign = Files.createDirectories(directory.resolve("foreign/replica-2"));
        Path letter = Files.writeString(foreign.resolve("letter.txt"), "mine");
        assertThatThrownBy(() -> Longhorn.embedded(directory.resolve("foreign")))
                .isInstanceOf(ForeignFileException.class)
                .hasMessageContaining(letter.toString());
        assertThat(letter).hasContent("mine");
        Files.delete(letter);
        Longhorn.embedded(directory.resolve("foreign")).close();
    }

    @Test
    void damagedRecordIsNamedAndKept() throws IOException {
        Path data = directory.resolve("data");
        try (Longhorn longhorn = Longhorn.embedded(data)) {
            longhorn.create(VolumeSpec.named("orders").sizeBytes(1 << 20).build());
            longhorn.create(VolumeSpec.named("others").sizeBytes(1 << 20).build());
        }
        Path newest;
        try (Stream<Path> files = Files.list(data.resolve("registry/volumes/orders"))) {
            newest = files.max(java.util.Comparator.comparingLong(
                            file -> Long.parseLong(file.getFileName().toString().substring("record.".length()))))
                    .orElseThrow();
        }
        byte[] record = Files.readAllBytes(newest);
        for (byte[] damaged : List.of(
                new byte[0],
                "not a record".getBytes(StandardCharsets.US_ASCII),
                java.util.Arrays.copyOf(record, record.length / 2),
                new String(record, StandardCharsets.UTF_8)
                        .replace("=1048576", "=1052672")
                        .getBytes(StandardCharsets.UTF_8))) {
            Files.write(newest, damaged);
            try (Longhorn longhorn = Longhorn.embedded(data)) {
                assertThatThrownBy(() -> longhorn.open("orders"))
                        .isInstanceOf(LonghornException.class)
                        .hasMessageContaining(newest.toRealPath().toString());
                assertThat(longhorn.open("others").sizeBytes()).isEqualTo(1 << 20);
                assertThat(longhorn.volumes()).containsExactly("orders", "others");
            }
            assertThat(newest).hasBinaryContent(damaged);
        }
        Files.write(newest, record);
        try (Longhorn longhorn = Longhorn.embedded(data)) {
            assertThat(longhorn.open("orders").sizeBytes()).isEqualTo(1 << 20);
        }
    }
}
