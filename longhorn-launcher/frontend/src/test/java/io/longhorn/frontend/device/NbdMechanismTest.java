package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.frontend.MemoryDevice;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices of the kernel's NBD client, on a host of files and with a command that changes them as nbd-client does. */
class NbdMechanismTest {

    private static final String SOCKET = "nbd+unix:///memory?socket=/run/nbd.sock";

    @TempDir
    private Path root;

    @TempDir
    private Path state;

    private HostTree tree;
    private final ServedDevice server = new ServedDevice(SOCKET);
    private final List<String> commands = new ArrayList<>();
    /** As one that is mounted does. */
    private boolean staysConnected;

    @BeforeEach
    void hostWithTwoDevices() throws IOException {
        tree = HostTree.create(root);
        tree.file("sys/block/nbd0/dev", "43:0\n");
        tree.file("sys/block/nbd1/dev", "43:32\n");
        tree.file("sys/block/nbd10/dev", "43:160\n");
        tree.command("nbd-client");
    }

    private NbdMechanism mechanism() {
        return new NbdMechanism(tree.host(), this::run, Optional.of(server), 512);
    }

    /** Connects, or disconnects with {@code -d}. */
    private Commands.Outcome run(List<String> command) {
        commands.add(String.join(" ", command));
        if (command.get(1).equals("-d")) {
            if (staysConnected) {
                return new Commands.Outcome(0, "");
            }
            tree.delete("sys/block/" + Path.of(command.get(2)).getFileName() + "/pid");
        } else {
            tree.file("sys/block/" + device(command).getFileName() + "/pid", "99\n");
        }
        return new Commands.Outcome(0, "");
    }

    private static Path device(List<String> command) {
        return command.stream()
                .filter(word -> word.startsWith("/dev/nbd"))
                .map(Path::of)
                .findFirst()
                .orElseThrow();
    }

    private DeviceRecord record() throws IOException {
        return DeviceRecord.create(state, "memory", DeviceMechanism.NBD);
    }

    private boolean isConnected(String name) {
        return Files.exists(root.resolve("sys/block/" + name + "/pid"));
    }

    @Test
    void theFirstFreeDeviceIsConnectedAndDisconnected() throws Exception {
        tree.file("sys/block/nbd0/pid", "7\n");
        DeviceRecord record = record();
        AttachedDevice attached = mechanism().attach(new MemoryDevice(4096), record);
        assertThat(attached.path()).hasToString("/dev/nbd1");
        assertThat(record.get("device")).contains("/dev/nbd1");
        assertThat(server.served).containsExactly("memory");
        attached.detach();
        assertThat(server.served).isEmpty();
        assertThat(isConnected("nbd1")).isFalse();
        assertThat(isConnected("nbd0")).as("of somebody else").isTrue();
        assertThat(commands)
                .containsExactly(
                        "/usr/sbin/nbd-client -unix /run/nbd.sock /dev/nbd1 -N memory -nonetlink -block-size 512",
                        "/usr/sbin/nbd-client -d /dev/nbd1");
    }

    @Test
    void aServerAtAPortAndAReadOnlyDevice() {
        assertThat(NbdMechanism.connectCommand(
                        "nbd-client", URI.create("nbd://[::1]/a%20b"), Path.of("/dev/nbd0"), true, 4096))
                .containsExactly(
                        "nbd-client",
                        "::1",
                        "10809",
                        "/dev/nbd0",
                        "-N",
                        "a b",
                        "-nonetlink",
                        "-block-size",
                        "4096",
                        "-readonly");
        assertThatThrownBy(() -> NbdMechanism.connectCommand(
                        "nbd-client", URI.create("nbd+unix:///x"), Path.of("/dev/nbd0"), false, 512))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("names no socket");
    }

    @Test
    void aDeviceThatAnotherProgramTakesMeanwhileIsLeftToIt() throws Exception {
        NbdMechanism mechanism = new NbdMechanism(
                tree.host(),
                command -> {
                    boolean first = commands.isEmpty();
                    Commands.Outcome outcome = run(command);
                    return first ? new Commands.Outcome(1, "busy") : outcome;
                },
                Optional.of(server),
                512);
        assertThat(mechanism.attach(new MemoryDevice(4096), record()).path()).hasToString("/dev/nbd1");
    }

    @Test
    void aFailureOfTheCommandIsToldInItsWordsAndServesNothing() throws IOException {
        NbdMechanism mechanism = new NbdMechanism(
                tree.host(), command -> new Commands.Outcome(1, "no such export"), Optional.of(server), 512);
        DeviceRecord record = record();
        assertThatThrownBy(() -> mechanism.attach(new MemoryDevice(4096), record))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("code 1: no such export");
        assertThat(server.served).isEmpty();
    }

    @Test
    void noFreeDeviceIsToldWithTheRemedy() throws IOException {
        for (String name : List.of("nbd0", "nbd1", "nbd10")) {
            tree.file("sys/block/" + name + "/pid", "7\n");
        }
        DeviceRecord record = record();
        assertThatThrownBy(() -> mechanism().attach(new MemoryDevice(4096), record))
                .hasMessage("all 3 NBD devices are in use (modprobe nbd nbds_max=...)");
    }

    @Test
    void aMountedDeviceStays() throws Exception {
        AttachedDevice attached = mechanism().attach(new MemoryDevice(4096), record());
        tree.file("proc/17/mountinfo", "30 22 43:0 / /mnt rw - ext4 /dev/nbd0 rw\n");
        assertThatThrownBy(attached::detach)
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("mounted at /mnt");
        assertThat(isConnected("nbd0")).isTrue();
        assertThat(server.served).containsExactly("memory");
    }

    @Test
    void whatAnEarlierProcessLeftIsDisconnected() throws Exception {
        DeviceRecord record = record();
        record.put("device", "/dev/nbd1");
        tree.file("sys/block/nbd1/pid", "99\n");
        assertThat(mechanism().cleanUpAtStart(record)).isTrue();
        assertThat(isConnected("nbd1")).isFalse();
        assertThat(mechanism().cleanUpAtStart(record)).as("twice").isTrue();
        assertThat(commands).containsExactly("/usr/sbin/nbd-client -d /dev/nbd1");
    }

    @Test
    void whatAnEarlierProcessLeftMountedIsLeftToTheKernelAndAnotherDeviceIsTaken() throws Exception {
        DeviceRecord record = record();
        record.put("device", "/dev/nbd0");
        tree.file("sys/block/nbd0/pid", "99\n");
        staysConnected = true;
        assertThat(mechanism().cleanUpAtStart(record)).isTrue();
        assertThat(commands).containsExactly("/usr/sbin/nbd-client -d /dev/nbd0");
        assertThat(mechanism().attach(new MemoryDevice(4096), record).path()).hasToString("/dev/nbd1");
    }

    @Test
    void whatTheHostLacksIsNamed() throws IOException {
        assertThat(new NbdMechanism(tree.host(), this::run, Optional.empty(), 512).missing())
                .contains("no NBD server was given");
        tree.delete("usr/sbin/nbd-client");
        assertThat(mechanism().missing()).contains("there is no nbd-client (install the package nbd-client)");
        tree.delete("sys/block/nbd0/dev");
        tree.delete("sys/block/nbd0");
        assertThat(mechanism().missing()).contains("there is no /sys/block/nbd0 (modprobe nbd)");
    }
}
