package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.CommandLineRun;
import io.longhorn.app.DaemonProcess;
import io.longhorn.app.JsonReader;
import io.longhorn.app.Main;
import io.longhorn.app.Waiting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Daemons as the user starts them: processes of their own, which end in good ways and in bad ones. */
class DaemonRestartTest {

    @TempDir
    private Path directory;

    private DaemonProcess start(String... more) throws Exception {
        return DaemonProcess.start(directory.resolve("daemon"), directory.resolve("log"), more);
    }

    private static CommandLineRun at(DaemonProcess daemon, String... arguments) {
        String[] all = new String[arguments.length + 2];
        all[0] = "--api";
        all[1] = daemon.url();
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return CommandLineRun.of(all);
    }

    private static void done(CommandLineRun run) {
        assertThat(run.exitCode()).as(run.err()).isEqualTo(Main.DONE);
    }

    private static String state(DaemonProcess daemon, String volume) {
        CommandLineRun run = at(daemon, "volume", "get", volume, "--json");
        done(run);
        return String.valueOf(JsonReader.readObject(run.out()).get("state"));
    }

    @Test
    void printsOneLineAndStopsCleanlyOnSigterm() throws Exception {
        try (DaemonProcess daemon = start()) {
            done(at(daemon, "volume", "create", "orders", "--size", "1MiB"));
            done(at(daemon, "volume", "attach", "orders", "--frontend", "none"));
            daemon.stop();
            assertThat(daemon.output()).singleElement().asString().matches("listening 127\\.0\\.0\\.1:[1-9][0-9]*");
            assertThat(Files.readString(directory.resolve("log"))).isEmpty();
        }
    }

    @Test
    void whatWasAttachedIsAttachedAgainHoweverTheDaemonEnded() throws Exception {
        try (DaemonProcess first = start()) {
            for (String name : List.of("orders", "idle", "gone")) {
                done(at(first, "volume", "create", name, "--size", "1MiB"));
            }
            done(at(first, "snapshot", "create", "idle", "monday"));
            done(at(first, "volume", "attach", "orders", "--frontend", "none"));
            done(at(first, "volume", "attach", "idle@monday", "--frontend", "none"));
            done(at(first, "volume", "attach", "gone", "--frontend", "none"));
            done(at(first, "volume", "detach", "gone"));
            first.kill();
        }
        try (DaemonProcess second = start()) {
            assertThat(state(second, "orders")).isEqualTo("attached");
            assertThat(state(second, "gone")).isEqualTo("detached");
            assertThat(at(second, "volume", "get", "idle").out())
                    .contains("state: detached", "attachedSnapshots", "\"snapshot\": \"monday\"");
            second.stop();
        }
        try (DaemonProcess third = start()) {
            assertThat(state(third, "orders")).isEqualTo("attached");
            third.stop();
        }
    }

    @Test
    void aDaemonOnReplicaServersWaitsForThoseThatComeLater() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        String server;
        try (DaemonProcess replicas = DaemonProcess.startReplica(disk, "127.0.0.1:0", directory.resolve("log"))) {
            server = replicas.address();
            try (DaemonProcess first = start("--replica-server", server)) {
                done(at(first, "volume", "create", "orders", "--size", "1MiB", "--replicas", "1"));
                done(at(first, "volume", "attach", "orders", "--frontend", "none"));
                assertThat(at(first, "volume", "replica", "list", "orders").out())
                        .contains(server, "in-sync");
                first.kill();
            }
            replicas.kill();
        }
        try (DaemonProcess second = start("--replica-server", server, "--verbose")) {
            Map<String, Object> volume = JsonReader.readObject(
                    at(second, "volume", "get", "orders", "--json").out());
            assertThat(volume).containsEntry("state", "attaching").containsKey("problem");
            try (DaemonProcess replicas = DaemonProcess.startReplica(disk, server, directory.resolve("log"))) {
                assertThat(Waiting.until(
                                Duration.ofSeconds(50),
                                () -> state(second, "orders").equals("attached")))
                        .isTrue();
                second.stop();
                replicas.stop();
            }
        }
    }

    @Test
    void aDaemonHostsAReplicaServerForOthers() throws Exception {
        try (DaemonProcess host = start("--replica-listen", "127.0.0.1:0", "--verbose")) {
            assertThat(directory.resolve("daemon").resolve("replicas")).isNotEmptyDirectory();
            host.stop();
        }
    }

    @Test
    void aDamagedListOfAttachmentsStopsTheStartAndIsNamed() throws Exception {
        Path daemon = Files.createDirectory(directory.resolve("daemon"));
        Files.writeString(daemon.resolve("attachments"), "longhorn attachments 1\n{");
        CommandLineRun run = CommandLineRun.of("serve", "--dir", daemon.toString(), "--api", "127.0.0.1:0");
        assertThat(run.exitCode()).isEqualTo(Main.FAILED);
        assertThat(run.err())
                .contains(
                        "longhorn serve: damaged file",
                        daemon.resolve("attachments").toString());
    }
}
