package io.longhorn.frontend.device;

import static io.longhorn.frontend.device.HostShell.sh;
import static io.longhorn.frontend.device.HostShell.tryRun;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The process that serves a device is killed. Needs root. */
@Tag("real")
class FuseDeviceCrashTest {

    private static final String NAME = "disk";
    private static final long SIZE_BYTES = 256L << 20;

    @TempDir
    private Path directory;

    private Path mount;
    private Path link;
    private Path loop;
    private Process server;

    @BeforeEach
    void start() throws IOException {
        mount = Files.createDirectory(directory.resolve("mnt"));
        link = directory.resolve("dev").resolve(NAME);
        serve();
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        tryRun("umount " + mount);
        server.destroyForcibly().waitFor();
        KernelDevices.open(settings()).close();
        assertNothingLeft();
    }

    /** Starts the process and waits for its device. */
    private void serve() throws IOException {
        server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DeviceProcess.class.getName(),
                        directory.toString(),
                        NAME,
                        String.valueOf(SIZE_BYTES))
                .redirectError(Redirect.INHERIT)
                .start();
        assertThat(server.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo(link.toString());
        loop = Files.readSymbolicLink(link);
    }

    private void kill() throws InterruptedException {
        server.destroyForcibly().waitFor();
    }

    private KernelDeviceSettings settings() {
        return KernelDeviceSettings.builder(directory.resolve("state"))
                .devicesDirectory(directory.resolve("dev"))
                .mechanism(DeviceMechanism.FUSE)
                .build();
    }

    private void assertNothingLeft() throws IOException {
        assertThat(sh("cat /proc/mounts")).doesNotContain(directory.toString());
        assertThat(directory.resolve("dev")).isEmptyDirectory();
        assertThat(directory.resolve("state").toFile().list()).containsExactly("lock");
        assertThat(LoopDevice.dead()).isEmpty();
    }

    @Test
    void operationsFailAtOnceAndTheNextProcessCleansUp() throws Exception {
        kill();
        assertThat(tryRun("dd if=" + loop + " of=/dev/null count=1 iflag=direct")
                        .output())
                .contains("Input/output error");
        KernelDevices.open(settings()).close();
        assertNothingLeft();
    }

    @Test
    void flushedDataIsThereWhenTheNextProcessAttachesAgain() throws Exception {
        sh("mkfs.ext4 -q " + link + " && mount " + link + " " + mount + " && echo kept > " + mount + "/file && sync");
        kill();
        assertThat(tryRun("echo 3 > /proc/sys/vm/drop_caches; dd if=" + loop + " of=/dev/null count=1 iflag=direct")
                        .exitCode())
                .isNotZero();
        serve();
        assertThat(tryRun("umount " + mount).exitCode()).isZero();
        sh("e2fsck -fy " + link + " >/dev/null || [ $? = 1 ]");
        sh("mount " + link + " " + mount);
        assertThat(sh("cat " + mount + "/file")).isEqualTo("kept");
    }

    @Test
    void aDeviceThatIsStillMountedGoesWhenItIsUnmounted() throws Exception {
        sh("mkfs.ext4 -q " + link + " && mount " + link + " " + mount);
        kill();
        KernelDevices.open(settings()).close();
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(sh("cat /proc/mounts")).contains(mount.toString());
        sh("umount " + mount);
        assertNothingLeft();
    }

    @Test
    void whatEndsInOrderLeavesNothing() throws Exception {
        sh("mkfs.ext4 -q " + link);
        server.getOutputStream().close();
        assertThat(server.waitFor()).isZero();
        assertNothingLeft();
    }
}
