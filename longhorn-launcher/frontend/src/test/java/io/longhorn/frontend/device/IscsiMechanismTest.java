package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.frontend.MemoryDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices of the kernel's iSCSI initiator, on a host of files and with a command that changes them as iscsiadm does. */
class IscsiMechanismTest {

    private static final String IQN = "iqn.2026-01.io.longhorn:memory";
    private static final String URI = "iscsi://127.0.0.1:3260/" + IQN + "/1";
    private static final String NODE = "/usr/sbin/iscsiadm -m node -T " + IQN + " -p 127.0.0.1:3260 ";

    private static final String SESSION = "sys/class/iscsi_session/session3/";

    @TempDir
    private Path root;

    @TempDir
    private Path state;

    private HostTree tree;
    private final ServedDevice target = new ServedDevice(URI);
    private final List<String> commands = new ArrayList<>();

    @BeforeEach
    void hostWithIscsid() throws IOException {
        tree = HostTree.create(root);
        tree.file("proc/net/unix", "ffff: 2 0 0 0001 01 1 @ISCSIADM_ABSTRACT_NAMESPACE\n");
        Files.createDirectories(root.resolve("sys/class/iscsi_transport/tcp"));
        tree.command("iscsiadm");
    }

    private IscsiMechanism mechanism() {
        return new IscsiMechanism(tree.host(), this::run, Optional.of(target));
    }

    private Commands.Outcome run(List<String> command) {
        commands.add(String.join(" ", command));
        if (command.contains("--login")) {
            session();
        } else if (command.contains("--logout")) {
            if (!Files.exists(root.resolve(SESSION + "targetname"))) {
                return new Commands.Outcome(21, "No matching sessions found");
            }
            tree.delete(SESSION + "targetname");
        }
        return new Commands.Outcome(0, "");
    }

    /** A session with a disk, and with the unit that every target has besides. */
    private void session() {
        tree.file(SESSION + "targetname", IQN + "\n");
        tree.file(SESSION + "device/target2:0:0/2:0:0:0/type", "31\n");
        tree.file(SESSION + "device/target2:0:0/2:0:0:1/block/sdb/size", "8\n");
        tree.file("sys/block/sdb/dev", "8:16\n");
    }

    private DeviceRecord record() throws IOException {
        return DeviceRecord.create(state, "memory", DeviceMechanism.ISCSI);
    }

    @Test
    void aTargetIsLoggedInToAndOutOf() throws Exception {
        DeviceRecord record = record();
        AttachedDevice attached = mechanism().attach(new MemoryDevice(4096), record);
        assertThat(attached.path()).hasToString("/dev/sdb");
        assertThat(record.get("uri")).contains(URI);
        assertThat(commands).startsWith(NODE + "-o new").endsWith(NODE + "--login");
        assertThat(commands)
                .contains(
                        NODE + "-o update -n node.session.timeo.replacement_timeout -v 86400",
                        NODE + "-o update -n node.startup -v manual");
        attached.refreshSize();
        assertThat(commands).endsWith(NODE + "--rescan");
        attached.detach();
        assertThat(commands).endsWith(NODE + "--logout", NODE + "-o delete");
        assertThat(target.served).isEmpty();
    }

    @Test
    void theSessionOfAnEarlierProcessWaitsAndIsUsedAgain() throws Exception {
        DeviceRecord record = record();
        record.put("uri", URI);
        session();
        assertThat(mechanism().cleanUpAtStart(record)).as("goes at the start").isFalse();
        assertThat(mechanism().attach(new MemoryDevice(4096), record).path()).hasToString("/dev/sdb");
        assertThat(commands).isEmpty();
        mechanism().cleanUp(record);
        assertThat(commands).containsExactly(NODE + "--logout", NODE + "-o delete");
    }

    @Test
    void whatNeverCameToASessionGoesAtTheStart() throws Exception {
        DeviceRecord record = record();
        record.put("uri", URI);
        assertThat(mechanism().cleanUpAtStart(record)).isTrue();
        assertThat(mechanism().cleanUpAtStart(record()))
                .as("without an address")
                .isTrue();
    }

    @Test
    void aMountedDiskStays() throws Exception {
        AttachedDevice attached = mechanism().attach(new MemoryDevice(4096), record());
        tree.file("proc/17/mountinfo", "30 22 8:16 / /mnt rw - ext4 /dev/sdb rw\n");
        commands.clear();
        assertThatThrownBy(attached::detach)
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("mounted at /mnt");
        assertThat(commands).isEmpty();
        assertThat(target.served).containsExactly("memory");
    }

    @Test
    void aLoginThatFailsServesNothing() throws IOException {
        DeviceRecord record = record();
        assertThatThrownBy(() -> new IscsiMechanism(
                                tree.host(), command -> new Commands.Outcome(20, "no iscsid"), Optional.of(target))
                        .attach(new MemoryDevice(4096), record))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("systemctl start iscsid");
        assertThatThrownBy(() -> new IscsiMechanism(
                                tree.host(), command -> new Commands.Outcome(8, "timed out"), Optional.of(target))
                        .attach(new MemoryDevice(4096), record))
                .hasMessageContaining("code 8: timed out");
        assertThat(target.served).isEmpty();
    }

    @Test
    void whatTheHostLacksIsNamed() throws IOException {
        assertThat(mechanism().missing()).isEmpty();
        assertThat(new IscsiMechanism(tree.host(), this::run, Optional.empty()).missing())
                .contains("no iSCSI target was given");
        tree.file("proc/net/unix", "");
        assertThat(mechanism().missing()).contains("iscsid does not run (systemctl start iscsid)");
        Files.delete(root.resolve("sys/class/iscsi_transport/tcp"));
        assertThat(mechanism().missing()).get().asString().contains("modprobe iscsi_tcp");
        tree.delete("usr/sbin/iscsiadm");
        assertThat(mechanism().missing()).get().asString().contains("install the package open-iscsi");
    }
}
