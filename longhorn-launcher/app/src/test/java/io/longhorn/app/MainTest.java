package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

    @TempDir
    private Path directory;

    @Test
    void helpGoesToStandardOutputAndNamesTheCommands() {
        CommandLineRun run = CommandLineRun.of("--help");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .startsWith("Usage: longhorn")
                .contains("replica", "bench", "demo", "version")
                .doesNotContain("bench-part");
        assertThat(run.err()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"replica", "bench", "demo", "version"})
    void everyCommandExplainsItself(String command) {
        CommandLineRun run = CommandLineRun.of(command, "--help");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).startsWith("Usage: longhorn " + command).contains("--verbose");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void versionOptionPrintsOneLine() {
        CommandLineRun run = CommandLineRun.of("--version");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines()).singleElement().asString().startsWith("longhorn ");
    }

    @Test
    void versionCommandNamesJavaToo() {
        CommandLineRun run = CommandLineRun.of("version");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines().toList()).hasSize(2);
        assertThat(run.out()).startsWith("longhorn ").contains(Runtime.version().toString());
    }

    @Test
    void withoutCommandIsWrongUsage() {
        assertWrongUsage(CommandLineRun.of(), "longhorn: a command is missing");
    }

    @Test
    void unknownOptionIsWrongUsage() {
        assertWrongUsage(CommandLineRun.of("--no-such-option"), "--no-such-option");
    }

    @Test
    void unknownCommandIsWrongUsage() {
        assertWrongUsage(CommandLineRun.of("no-such-command"), "no-such-command");
    }

    @Test
    void replicaWithoutDirectoryIsWrongUsage() {
        assertWrongUsage(CommandLineRun.of("replica", "--listen", "127.0.0.1:0"), "--dir");
    }

    @Test
    void replicaWithoutAddressIsWrongUsage() {
        assertWrongUsage(CommandLineRun.of("replica", "--dir", directory.toString()), "--listen");
    }

    @Test
    void addressWithoutPortIsWrongUsage() {
        assertWrongUsage(
                CommandLineRun.of("replica", "--dir", directory.toString(), "--listen", "localhost"),
                "--listen",
                "the port is missing");
    }

    @Test
    void tlsWithoutItsKeyIsWrongUsage() {
        assertWrongUsage(
                CommandLineRun.of("replica", "--dir", "d", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem"),
                "--tls-key",
                "--tls-ca");
    }

    @Test
    void benchWithTwoEndpointsIsWrongUsage() {
        assertWrongUsage(
                CommandLineRun.of("bench", "--endpoints", "127.0.0.1:1,127.0.0.1:2"), "at least three servers");
    }

    @Test
    void benchWithoutRunsIsWrongUsage() {
        assertWrongUsage(CommandLineRun.of("bench", "--runs", "0"), "--runs");
        assertWrongUsage(CommandLineRun.of("bench", "--runs", "many"), "--runs");
        assertWrongUsage(CommandLineRun.of("bench", "--seconds", "0"), "--seconds");
        assertWrongUsage(CommandLineRun.of("bench", "--size", "0"), "--size");
        assertWrongUsage(CommandLineRun.of("bench", "--registry", "r"), "--endpoints");
    }

    @Test
    void tokenFileThatIsMissingFailsAndIsNamed() {
        Path missing = directory.resolve("no-such-token");
        CommandLineRun run = CommandLineRun.of(
                "replica",
                "--dir",
                directory.toString(),
                "--listen",
                "127.0.0.1:0",
                "--token-file",
                missing.toString());
        assertFailed(run, "there is no file or directory " + missing);
    }

    @Test
    void verboseAddsTheStackTrace() {
        Path missing = directory.resolve("no-such-token");
        CommandLineRun run = CommandLineRun.of(
                "--verbose", "replica", "--dir", "d", "--listen", "127.0.0.1:0", "--token-file", missing.toString());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("no-such-token", "\tat io.longhorn.app.");
    }

    @Test
    void jsonFileInAMissingDirectoryIsRefusedBeforeTheBenchRuns() {
        Path file = directory.resolve("missing").resolve("figures.json");
        assertFailed(
                CommandLineRun.of("bench", "--json", file.toString()),
                file.getParent().toString());
    }

    static void assertWrongUsage(CommandLineRun run, String... contained) {
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).singleElement().asString().contains(contained);
    }

    static void assertFailed(CommandLineRun run, String... contained) {
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).singleElement().asString().contains(contained);
    }
}
