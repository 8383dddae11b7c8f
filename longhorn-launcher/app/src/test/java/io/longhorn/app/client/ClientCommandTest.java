package io.longhorn.app.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.CommandLineRun;
import io.longhorn.app.JsonReader;
import io.longhorn.app.Main;
import io.longhorn.app.daemon.DaemonFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that talk to a daemon, as the user types them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClientCommandTest {

    @TempDir
    private static Path directory;

    private DaemonFixture api;

    @BeforeAll
    void start() throws Exception {
        api = DaemonFixture.in(directory.resolve("daemon"));
    }

    @AfterAll
    void stop() {
        api.close();
    }

    private CommandLineRun run(String... arguments) {
        return CommandLineRun.of(Stream.concat(Stream.of("--api", api.url()), Stream.of(arguments))
                .toArray(String[]::new));
    }

    private String done(String... arguments) {
        CommandLineRun run = run(arguments);
        assertThat(run.exitCode()).as(run.err()).isEqualTo(Main.DONE);
        return run.out();
    }

    private void failed(String words, String... arguments) {
        CommandLineRun run = run(arguments);
        assertThat(run.exitCode()).isEqualTo(Main.FAILED);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).singleElement().asString().contains(words);
    }

    @Test
    void aVolumeIsMadeShownAttachedExpandedAndDeleted() {
        assertThat(done("volume", "create", "orders", "--size", "8MiB", "--replicas", "2", "--label", "a=b"))
                .isEqualTo("volume orders: 8 MiB, 2 replicas\n");
        assertThat(done("volume", "attach", "orders", "--frontend", "none")).isEmpty();
        assertThat(done("volume", "list").lines().toList().get(0))
                .matches("NAME +SIZE +STATE +HEALTH +REPLICAS +FRONTEND +ENDPOINT");
        assertThat(done("volume", "list").lines())
                .anyMatch(line -> line.matches("orders +8 MiB +attached +healthy +2/2 +none +-"));
        assertThat((List<?>) JsonReader.read(done("volume", "list", "--json")))
                .anyMatch(volume -> "orders".equals(((Map<?, ?>) volume).get("name")));
        assertThat(done("volume", "get", "orders")).contains("sizeBytes: 8388608 (8 MiB)", "health: healthy");
        assertThat(done("volume", "expand", "orders", "--size", "16MiB")).isEqualTo("volume orders: 16 MiB\n");
        failed("larger multiple", "volume", "expand", "orders", "--size", "8MiB");
        failed("detach it first", "volume", "delete", "orders");
        assertThat(done("volume", "detach", "orders")).isEmpty();
        assertThat(done("volume", "delete", "orders")).isEmpty();
        failed("orders", "volume", "get", "orders");
    }

    @Test
    void snapshotsAreNamedListedAndReturnedTo() {
        done("volume", "create", "shots", "--size", "1MiB", "--replicas", "1");
        assertThat(done("snapshot", "create", "shots", "monday", "--label", "why=test"))
                .isEqualTo("monday\n");
        assertThat(done("snapshot", "create", "shots")).matches("snapshot-[0-9]{8}-[0-9]{6}-[0-9]{3}\n");
        assertThat(done("snapshot", "list", "shots").lines()).hasSize(3);
        assertThat((List<?>) JsonReader.read(done("snapshot", "list", "shots", "--json")))
                .hasSize(2);
        assertThat(done("snapshot", "revert", "shots", "monday")).isEmpty();
        assertThat(done("volume", "attach", "shots@monday", "--frontend", "none"))
                .isEmpty();
        assertThat(done("volume", "detach", "shots@monday")).isEmpty();
        assertThat(done("snapshot", "delete", "shots", "monday")).isEmpty();
        failed("has no snapshot monday", "snapshot", "delete", "shots", "monday");
    }

    @Test
    void replicasLimitsAndFrontends() {
        done("volume", "create", "parts", "--size", "1MiB", "--replicas", "2");
        List<?> replicas = (List<?>) JsonReader.read(done("volume", "replica", "list", "parts", "--json"));
        String id = ((Map<?, ?>) replicas.get(0)).get("id").toString();
        assertThat(done("volume", "replica", "list", "parts")).contains(id, "in-sync");
        assertThat(done("volume", "replica", "remove", "parts", id)).isEmpty();
        assertThat(done("volume", "replica", "add", "parts")).matches("[0-9a-f-]{36}\n");
        assertThat(done("volume", "limits", "parts")).isEqualTo("operations: no limit\nbandwidth: no limit\n");
        assertThat(done("volume", "limits", "parts", "--operations", "50", "--bandwidth", "2MiB"))
                .isEqualTo("operations: 50 per second, burst 50\nbandwidth: 2 MiB per second, burst 2 MiB\n");
        assertThat(done("frontend", "list")).contains("FRONTEND", "none");
    }

    @Test
    void backupsGoThroughTheDaemon() {
        String target = directory.resolve("target").toUri().toString();
        done("volume", "create", "saved", "--size", "1MiB", "--replicas", "1");
        assertThat(done("backup", "create", "saved", target, "--name", "backup-1"))
                .startsWith("backup backup-1 of volume saved, snapshot backup-2");
        assertThat(done("backup", "list", target)).startsWith("volume saved backup backup-1 of 2");
        assertThat((List<?>) JsonReader.read(done("backup", "list", target, "--json")))
                .hasSize(1);
        String url = target + "?backup=backup-1&volume=saved";
        assertThat(done("backup", "inspect", url)).contains("\"compression\": \"lz4\"");
        assertThat(done("backup", "verify", target))
                .startsWith("1 backups and ")
                .contains("all right");
        assertThat(done("backup", "verify", url)).startsWith("1 backups and ");
        assertThat(done("backup", "restore", url, "copy", "--replicas", "1", "--size", "2MiB"))
                .isEqualTo("volume copy: 2097152 bytes, every block verified\n");
        assertThat(done("backup", "delete", url)).startsWith("backup backup-1 deleted, ");
        CommandLineRun missing = run("backup", "restore", url, "other");
        assertThat(missing.exitCode()).isEqualTo(Main.FAILED);
        assertThat(missing.err()).contains("there is no backup backup-1");
    }

    @Test
    void keysOfAnEncryptedTargetGoWithTheRequest() throws IOException {
        String target = directory.resolve("sealed").toUri().toString();
        Path keys = Files.writeString(directory.resolve("keys"), "2026 " + "0f".repeat(32));
        done("volume", "create", "secret", "--size", "1MiB", "--replicas", "1");
        done("backup", "create", "secret", target, "--name", "backup-1", "--key-file", keys.toString());
        assertThat(done("backup", "list", target, "--key-file", keys.toString()))
                .startsWith("volume secret backup backup-1 of 2");
        assertThat(run("backup", "list", target).exitCode()).isEqualTo(Main.FAILED);
    }

    @Test
    void theDaemonMustBeNamedAndBeOne() {
        CommandLineRun nobody = CommandLineRun.of("--api", "127.0.0.1:1", "volume", "list");
        assertThat(nobody.exitCode()).isEqualTo(Main.FAILED);
        assertThat(nobody.err()).contains("no daemon answers at http://127.0.0.1:1");
        for (String wrong : new String[] {"ftp://x", "http://", "http://x/y", "http://a b", "https://x?y"}) {
            CommandLineRun run = CommandLineRun.of("volume", "list", "--api", wrong);
            assertThat(run.exitCode()).as(wrong).isEqualTo(2);
            assertThat(run.err()).contains(wrong);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "volume",
                "volume create",
                "volume create x1",
                "volume create x1 --size big",
                "volume create x1 --size 1MiB --durability maybe",
                "volume create x1 --size 1MiB --replicas many",
                "volume attach",
                "volume replica",
                "volume limits x1 --operations fast",
                "snapshot",
                "snapshot revert x1",
                "frontend",
                "completion fish",
                "backup create"
            })
    void wrongUsageIsTold(String line) {
        CommandLineRun run = run(line.split(" ", -1));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void whatTheDaemonRefusesIsSaidInItsWords() {
        failed("must be one of none, nbd, iscsi, device", "volume", "attach", "nobody", "--frontend", "smoke");
        failed("nobody", "volume", "attach", "nobody", "--frontend", "none");
        failed("volume name must be", "volume", "create", "a b", "--size", "1MiB");
        failed("multiple of 4096", "volume", "create", "x1", "--size", "1000");
        failed("x1", "volume", "create", "x1", "--size", "1MiB", "--replicas", "9");
    }

    @Test
    void completionIsAScriptForTheShell() {
        CommandLineRun run = CommandLineRun.of("completion", "bash");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("complete -F _complete_longhorn", "volume", "--frontend");
    }

    @Test
    void everyCommandExplainsItself() {
        for (String command : new String[] {"serve", "volume", "snapshot", "frontend", "completion"}) {
            assertThat(CommandLineRun.of(command, "--help").out()).startsWith("Usage: longhorn " + command);
        }
    }
}
