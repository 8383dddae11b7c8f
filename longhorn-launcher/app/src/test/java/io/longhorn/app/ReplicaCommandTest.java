package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HostPort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replica servers as the user starts them: processes of their own. */
class ReplicaCommandTest {

    @TempDir
    private Path directory;

    private Path disk;
    private Path log;
    private final List<Process> processes = new ArrayList<>();

    @BeforeEach
    void makeDisk() throws IOException {
        disk = Files.createDirectory(directory.resolve("disk"));
        log = directory.resolve("log");
    }

    @AfterEach
    void killWhatIsLeft() throws InterruptedException {
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void printsOneLineAndStopsCleanlyOnSigterm() throws Exception {
        Path out = directory.resolve("out");
        Process process = start(out, "replica", "--dir", disk.toString(), "--listen", "127.0.0.1:0");
        assertThat(Waiting.until(Duration.ofSeconds(30), () -> Files.size(out) > 0))
                .isTrue();

        process.destroy();

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(Files.readAllLines(out)).singleElement().asString().matches("listening 127\\.0\\.0\\.1:[1-9][0-9]*");
        assertThat(Files.readString(log)).isEmpty();
    }

    @Test
    void startsAgainWhereItStoppedAndWhereItWasKilled() throws Exception {
        try (ReplicaProcess first = ReplicaProcess.start(List.of(disk), new HostPort("127.0.0.1", 0), log)) {
            first.stop();
            try (ReplicaProcess second = ReplicaProcess.start(List.of(disk), first.address(), log)) {
                assertThat(second.address()).isEqualTo(first.address());
                second.kill();
                try (ReplicaProcess third = ReplicaProcess.start(List.of(disk), first.address(), log)) {
                    third.stop();
                }
            }
        }
    }

    @Test
    void secondServerOnTheSameDiskIsRefusedAndTheDiskNamed() throws Exception {
        try (ReplicaProcess first = ReplicaProcess.start(List.of(disk), new HostPort("127.0.0.1", 0), log)) {
            Path out = directory.resolve("out");
            Files.deleteIfExists(log);
            Process second = start(out, "replica", "--dir", disk.toString(), "--listen", "127.0.0.1:0");

            assertThat(second.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(second.exitValue()).isEqualTo(1);
            assertThat(out).isEmptyFile();
            assertThat(Files.readAllLines(log))
                    .singleElement()
                    .asString()
                    .startsWith("longhorn replica: ")
                    .contains(disk.toString(), "in use");
            first.stop();
        }
    }

    @Test
    void stopsWhenItsInputEndsIfAskedTo() throws Exception {
        Path out = directory.resolve("out");
        Process process =
                start(out, "replica", "--dir", disk.toString(), "--listen", "127.0.0.1:0", "--stop-with-input");
        assertThat(Waiting.until(Duration.ofSeconds(30), () -> Files.size(out) > 0))
                .isTrue();

        process.getOutputStream().close();

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }

    @Test
    void severalDisksMakeOneServer() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        try (ReplicaProcess server = ReplicaProcess.start(List.of(disk, other), new HostPort("127.0.0.1", 0), log)) {
            server.stop();
        }
        assertThat(disk).isNotEmptyDirectory();
        assertThat(other).isNotEmptyDirectory();
    }

    @Test
    void listeningBeyondLoopbackWithoutSecretIsRefused() throws Exception {
        Path out = directory.resolve("out");
        Process process = start(out, "replica", "--dir", disk.toString(), "--listen", "0.0.0.0:0");
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(Files.readAllLines(log)).singleElement().asString().contains("0.0.0.0");
    }

    @Test
    void addressInUseIsNamed() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        try (ReplicaProcess first = ReplicaProcess.start(List.of(disk), new HostPort("127.0.0.1", 0), log)) {
            Files.deleteIfExists(log);
            String address = first.address().toString();
            Process second = start(directory.resolve("out"), "replica", "--dir", other.toString(), "--listen", address);
            assertThat(second.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(second.exitValue()).isEqualTo(1);
            assertThat(Files.readAllLines(log)).singleElement().asString().contains(address);
            first.stop();
        }
    }

    private Process start(Path out, String... arguments) throws IOException {
        Process process = OwnProcess.builder(List.of(), List.of(arguments))
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        processes.add(process);
        return process;
    }
}
