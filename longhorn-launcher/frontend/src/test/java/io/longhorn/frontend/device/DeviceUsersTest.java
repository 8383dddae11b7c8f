package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who uses a device, as a host's files tell. */
class DeviceUsersTest {

    @TempDir
    private Path root;

    private HostTree tree;
    private Path device;
    private DeviceUsers users;
    private int descriptor;

    @BeforeEach
    void hostWithoutUsers() throws IOException {
        device = root.resolve("dev/loop7");
        tree = HostTree.create(root);
        tree.file("sys/block/loop7/dev", "7:7\n");
        process(17, "java", root.resolve("dev/null"));
        process(18, "sh", root.resolve("dev/loop70"));
        users = new DeviceUsers(tree.host());
    }

    private void process(int pid, String command, Path open) throws IOException {
        Path descriptors = Files.createDirectories(root.resolve("proc/" + pid + "/fd"));
        Files.createSymbolicLink(descriptors.resolve(String.valueOf(descriptor++)), open);
        tree.file("proc/" + pid + "/comm", command + "\n");
    }

    @Test
    void nobodyUsesADeviceThatOthersDoNotName() throws IOException {
        assertThat(users.find(device)).isEmpty();
        assertThat(users.find(root.resolve("dev/loop8"))).isEmpty();
    }

    @Test
    void anotherProcessThatHasItOpenMayOnlyLookAtIt() throws IOException {
        process(18, "udevd", device);
        assertThat(users.find(device)).contains(new DeviceUsers.User("open in process 18 (udevd)", false));
    }

    @Test
    void whoKeepsADeviceConnectedDoesNotUseIt() throws IOException {
        process(18, "nbd-client", device);
        assertThat(users.find(device)).isEmpty();
        process(19, "fsck", device);
        assertThat(users.find(device)).contains(new DeviceUsers.User("open in process 19 (fsck)", false));
    }

    @Test
    void theDescriptorsOfThisProcessAreNotLookedThrough() throws IOException {
        process(17, "java", device);
        assertThat(users.find(device)).isEmpty();
    }

    @Test
    void mountsHoldersAndSwapLast() throws IOException {
        tree.file("proc/swaps", "Filename Type Size\n" + device + " partition 8\n");
        assertThat(users.find(device)).contains(new DeviceUsers.User("used for swapping", true));
        Files.createDirectories(root.resolve("sys/block/loop7/holders/dm-0"));
        assertThat(users.find(device)).contains(new DeviceUsers.User("held by dm-0", true));
        tree.file("proc/17/mountinfo", "30 22 7:7 / /mnt/a\\040b rw - ext4 " + device + " rw\n");
        assertThat(users.find(device)).contains(new DeviceUsers.User("mounted at /mnt/a b", true));
    }
}
