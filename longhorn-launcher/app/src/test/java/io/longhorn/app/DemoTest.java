package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo as the user starts it. */
class DemoTest {

    @TempDir
    private Path directory;

    @Test
    @Tag("real")
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void endsWithItsProofAndLeavesNothingBehind() throws Exception {
        Path out = directory.resolve("out");
        Path work = Files.createDirectory(directory.resolve("work"));
        Process demo = OwnProcess.builder(List.of(), List.of("demo", "--directory", work.toString()))
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        try {
            assertThat(demo.waitFor(4, TimeUnit.MINUTES))
                    .as(Files.readString(out))
                    .isTrue();
            assertThat(demo.exitValue()).as(Files.readString(out)).isZero();
        } finally {
            demo.destroyForcibly();
        }
        assertThat(out).content().contains("every byte is right");
        assertThat(work).isEmptyDirectory();
    }

    @Test
    @Tag("real")
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void stoppedByASignalItLeavesNoServersAndNoFilesBehind() throws Exception {
        Path out = directory.resolve("out");
        Path work = Files.createDirectory(directory.resolve("work"));
        Process demo = OwnProcess.builder(List.of(), List.of("demo", "--directory", work.toString()))
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        List<ProcessHandle> servers;
        try {
            assertThat(Waiting.until(
                            Duration.ofSeconds(60), () -> Files.readString(out).contains("e2fsck")))
                    .isTrue();
            servers = demo.toHandle().descendants().toList();
            assertThat(servers).hasSizeGreaterThanOrEqualTo(3);
            demo.destroy();
            assertThat(demo.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            demo.destroyForcibly();
        }
        assertThat(demo.exitValue()).isNotZero();
        assertThat(Waiting.until(Duration.ofSeconds(30), () -> servers.stream().noneMatch(ProcessHandle::isAlive)))
                .isTrue();
        try (Stream<Path> left = Files.list(work)) {
            assertThat(left).isEmpty();
        }
    }
}
