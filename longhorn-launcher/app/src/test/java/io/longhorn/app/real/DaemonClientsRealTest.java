package io.longhorn.app.real;

import static io.longhorn.app.real.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.CommandLineRun;
import io.longhorn.app.DaemonCommands;
import io.longhorn.app.DaemonProcess;
import io.longhorn.app.Main;
import io.longhorn.app.Waiting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the daemon prints is given to clients that others wrote, as the user would do it. Needs root. */
@Tag("real")
class DaemonClientsRealTest {

    private static final String VOLUME = "Clients-" + ProcessHandle.current().pid();
    private static final Path DEVICE = Path.of("/dev/longhorn", VOLUME);
    private static final long SIZE = 64L << 20;
    private static final Duration LIMIT = Duration.ofSeconds(40);

    /** Content for a part of the disk that is not whole blocks. */
    private static final String PATTERN = "-P 0xab 1000 3M";

    @TempDir
    private Path directory;

    private DaemonProcess daemon;
    private DaemonCommands commands;

    /** The ways in which a daemon ends. */
    enum End {
        SIGTERM {
            @Override
            void of(DaemonProcess daemon) throws InterruptedException {
                daemon.stop();
            }
        },
        SIGKILL {
            @Override
            void of(DaemonProcess daemon) throws InterruptedException {
                daemon.kill();
            }
        };

        abstract void of(DaemonProcess daemon) throws InterruptedException;
    }

    @BeforeEach
    void startDaemon() throws Exception {
        daemon = DaemonProcess.start(directory.resolve("daemon"), directory.resolve("daemon.log"));
        commands = new DaemonCommands(daemon);
    }

    @AfterEach
    void stop() throws Exception {
        if (isMounted()) {
            sh("umount " + mount());
        }
        daemon.stop();
        assertNoDevice();
    }

    private void create(String volume) {
        commands.done("volume", "create", volume, "--size", String.valueOf(SIZE), "--replicas", "2");
    }

    private String attach(String what, String frontend, String... listen) {
        String[] command = new String[listen.length == 0 ? 5 : 7];
        System.arraycopy(new String[] {"volume", "attach", what, "--frontend", frontend}, 0, command, 0, 5);
        if (listen.length > 0) {
            command[5] = "--listen";
            command[6] = listen[0];
        }
        return commands.done(command);
    }

    /** Runs commands of qemu-io, and fails if one of them fails or reads something else than it expects. */
    private static String qemuIo(String options, String uri, String... lines) throws Exception {
        StringBuilder script = new StringBuilder("qemu-io -f raw " + options);
        for (String line : lines) {
            script.append(" -c '").append(line).append('\'');
        }
        String output = sh(script + " '" + uri + "'");
        assertThat(output).doesNotContain("failed", "error");
        return output;
    }

    private void assertImageReturns(String uri) throws Exception {
        Path image = directory.resolve("image");
        sh("head -c " + SIZE / 2 + " /dev/urandom > " + image + " && truncate -s " + SIZE + " " + image);
        sh("qemu-img convert -n -f raw -O raw " + image + " '" + uri + "'");
        sh("qemu-img compare -f raw -F raw " + image + " '" + uri + "'");
        assertThat(sh("qemu-img info '" + uri + "'")).contains("virtual size: 64 MiB");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:0", "unix:"})
    void clientsOfNbdUseTheUriThatIsPrinted(String listen) throws Exception {
        create(VOLUME);
        Path socket = directory.resolve("nbd.sock");
        String uri = attach(VOLUME, "nbd", listen.equals("unix:") ? listen + socket : listen);
        assertThat(sh("nbdinfo --size '" + uri + "'")).isEqualTo(String.valueOf(SIZE));
        assertThat(sh("nbdinfo --list '" + uri + "'")).contains("export=\"" + VOLUME + "\"");
        assertThat(sh("nbdinfo --map '" + uri + "'")).contains("hole,zero");
        assertImageReturns(uri);
        assertThat(sh("nbdinfo --map '" + uri + "'")).contains("data");
        assertThat(sh("nbdcopy '" + uri + "' - | cmp - " + directory.resolve("image")))
                .isEmpty();
        commands.done("volume", "detach", VOLUME);
        assertThat(Shell.tryRun("nbdinfo --size '" + uri + "'").exitCode()).isNotZero();
        assertThat(Files.exists(socket)).isFalse();
    }

    @Test
    void clientsOfIscsiUseTheUriThatIsPrinted() throws Exception {
        create(VOLUME);
        String uri = attach(VOLUME, "iscsi", "127.0.0.1:0");
        assertThat(uri).matches("iscsi://127\\.0\\.0\\.1:[0-9]+/iqn\\.2026-01\\.io\\.longhorn:clients-[0-9]+/1");
        String portal = uri.substring(0, uri.indexOf('/', "iscsi://".length()));
        String target = uri.substring(portal.length() + 1, uri.length() - "/1".length());
        assertThat(sh("iscsi-ls -s " + portal)).contains("Target:" + target, "Lun:1", "DIRECT_ACCESS");
        assertThat(sh("iscsi-readcapacity16 " + uri)).contains("Total size:" + SIZE);
        assertImageReturns(uri);
        commands.done("volume", "detach", VOLUME);
        assertThat(Shell.tryRun("iscsi-readcapacity16 " + uri).exitCode()).isNotZero();
    }

    @ParameterizedTest
    @EnumSource
    void whatWasConfirmedIsReadAtTheSameUrisAfterARestart(End end) throws Exception {
        Map<String, String> uris = new TreeMap<>();
        for (String volume : List.of("tcp", "unix", "scsi")) {
            create(volume);
        }
        uris.put("tcp", attach("tcp", "nbd", "127.0.0.1:0"));
        uris.put("unix", attach("unix", "nbd", "unix:" + directory.resolve("nbd.sock")));
        uris.put("scsi", attach("scsi", "iscsi", "127.0.0.1:0"));
        for (String uri : uris.values()) {
            // Without a flush at the end: being confirmed is enough when only processes end.
            qemuIo("-t unsafe", uri, "write " + PATTERN, "write -z 8M 1M");
        }
        end.of(daemon);
        for (String uri : uris.values()) {
            assertThat(Shell.tryRun("qemu-img info '" + uri + "'").exitCode()).isNotZero();
        }
        startDaemon();
        for (Map.Entry<String, String> entry : uris.entrySet()) {
            assertThat(commands.volume(entry.getKey())).containsEntry("endpoint", entry.getValue());
            qemuIo("", entry.getValue(), "read " + PATTERN, "read -P 0 8M 1M", "write -P 1 0 1M", "read -P 1 0 1M");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nbd", "iscsi"})
    void aClientThatConnectsAgainGoesOnAfterTheDaemonWasKilled(String frontend) throws Exception {
        create(VOLUME);
        String uri = attach(VOLUME, frontend, "127.0.0.1:0");
        Path said = directory.resolve("qemu.out");
        String image = frontend.equals("nbd")
                ? "driver=raw,file.driver=nbd,file.reconnect-delay=60,file.export=" + VOLUME
                        + ",file.server.type=inet,file.server.host=127.0.0.1,file.server.port="
                        + uri.substring(uri.lastIndexOf(':') + 1, uri.lastIndexOf('/'))
                : "driver=raw,file.driver=iscsi,file.transport=tcp,file.lun=1,file.portal=" + uri.split("/", -1)[2]
                        + ",file.target=" + uri.split("/", -1)[3];
        Process client = Shell.start("exec qemu-io --image-opts " + image, said);
        try {
            tell(client, "write -P 1 0 1M");
            awaitText(said, "wrote 1048576/1048576 bytes at offset 0");
            daemon.kill();
            tell(client, "write -P 2 2M 1M");
            startDaemon();
            awaitText(said, "wrote 1048576/1048576 bytes at offset 2097152");
            tell(client, "read -P 1 0 1M");
            awaitText(said, "read 1048576/1048576 bytes at offset 0");
            tell(client, "read -P 2 2M 1M");
            awaitText(said, "read 1048576/1048576 bytes at offset 2097152");
            assertThat(Files.readString(said)).doesNotContain("failed", "error");
        } finally {
            client.destroyForcibly().waitFor();
        }
    }

    private static void tell(Process client, String line) throws IOException {
        client.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        client.getOutputStream().flush();
    }

    private static void awaitText(Path file, String text) throws Exception {
        assertThat(Waiting.until(LIMIT, () -> Files.readString(file).contains(text)))
                .as("%s in %s", text, Files.readString(file))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"nbd", "iscsi", "device"})
    void aSnapshotIsReadOnlyAndStaysAsItIs(String frontend) throws Exception {
        create(VOLUME);
        String uri = attach(VOLUME, "nbd", "127.0.0.1:0");
        qemuIo("", uri, "write " + PATTERN);
        commands.done("snapshot", "create", VOLUME, "monday");
        String shown = attach(VOLUME + "@monday", frontend);
        qemuIo("", uri, "write -P 0xcd 0 4M");
        qemuIo("-r", shown, "read " + PATTERN, "read -P 0 4M 1M");
        assertThat(Shell.tryRun("qemu-io -f raw -c 'write -P 1 0 4k' '" + shown + "'")
                        .exitCode())
                .isNotZero();
        // Deleting it does not take it away from those who read it.
        commands.done("snapshot", "delete", VOLUME, "monday");
        qemuIo("-r", shown, "read " + PATTERN);
        qemuIo("", uri, "read -P 0xcd 0 4M");
        commands.done("volume", "detach", VOLUME + "@monday");
        commands.done("volume", "detach", VOLUME);
    }

    private Path mount() {
        return directory.resolve("mnt");
    }

    private boolean isMounted() throws IOException {
        return Files.readString(Path.of("/proc/mounts")).contains(" " + mount() + " ");
    }

    private static void assertNoDevice() {
        assertThat(Files.exists(DEVICE, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    private void makeFileSystem() throws Exception {
        create(VOLUME);
        assertThat(attach(VOLUME, "device")).isEqualTo(DEVICE.toString());
        sh("mkfs.ext4 -q " + DEVICE + " && mkdir " + mount());
        sh("mount " + DEVICE + " " + mount() + " && cp -a /etc " + mount() + "/etc && sync");
    }

    @Test
    void aDeviceCarriesAFileSystemThatGrowsAndLeavesNothingBehind() throws Exception {
        makeFileSystem();
        Path loop = DEVICE.toRealPath();
        commands.done("volume", "expand", VOLUME, "--size", String.valueOf(2 * SIZE));
        assertThat(Waiting.until(
                        LIMIT, () -> sh("blockdev --getsize64 " + DEVICE).equals(String.valueOf(2 * SIZE))))
                .isTrue();
        CommandLineRun refused = commands.run("volume", "detach", VOLUME);
        assertThat(refused.exitCode()).isEqualTo(Main.FAILED);
        assertThat(refused.err()).contains("mounted at " + mount());
        // Growing a mounted ext4 needs a capability that containers lack.
        sh("umount " + mount() + " && e2fsck -fp " + DEVICE + " && resize2fs " + DEVICE);
        sh("mount " + DEVICE + " " + mount() + " && diff -r --no-dereference /etc " + mount() + "/etc");
        sh("head -c " + SIZE + " /dev/zero > " + mount() + "/large && sync && umount " + mount());
        sh("e2fsck -fn " + DEVICE);
        commands.done("volume", "detach", VOLUME);
        assertNoDevice();
        assertThat(Files.exists(
                        Path.of("/sys/block").resolve(loop.getFileName()).resolve("loop")))
                .isFalse();
        assertThat(commands.volume(VOLUME)).containsEntry("state", "detached");
    }

    @ParameterizedTest
    @EnumSource
    void aDeviceIsMadeAnewWhereAMountedOneDied(End end) throws Exception {
        makeFileSystem();
        Path dead = DEVICE.toRealPath();
        end.of(daemon);
        startDaemon();
        assertThat(commands.volume(VOLUME)).containsEntry("endpoint", DEVICE.toString());
        assertThat(DEVICE.toRealPath()).isNotEqualTo(dead);
        sh("umount " + mount());
        assertThat(Shell.tryRun("fsck.ext4 -p " + DEVICE).exitCode()).isLessThanOrEqualTo(1);
        sh("mount " + DEVICE + " " + mount() + " && diff -r --no-dereference /etc " + mount() + "/etc");
        sh("umount " + mount());
        commands.done("volume", "detach", VOLUME);
        assertThat(Waiting.until(
                        LIMIT,
                        () -> !Files.exists(Path.of("/sys/block")
                                .resolve(dead.getFileName())
                                .resolve("loop"))))
                .as("the dead one is gone as well")
                .isTrue();
    }
}
