package io.longhorn.frontend.device;

import static io.longhorn.frontend.device.HostShell.sh;
import static io.longhorn.frontend.device.HostShell.tryRun;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.HeldSnapshot;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel's file systems and others' programs on a loop device that FUSE serves. Needs root. */
@Tag("real")
class FuseDeviceRealTest {

    private static final String NAME = "disk";
    private static final long SIZE_BYTES = 1L << 30;
    private static final int CAP_SYS_RESOURCE = 24;
    private static final long WAIT_LIMIT_SECONDS = 40;

    /** A tree of some thousand files, which every JDK has. */
    private static final Path TREE = Path.of(System.getProperty("java.home"));

    @TempDir
    private Path directory;

    private Longhorn longhorn;
    private Volume volume;
    private KernelDevices devices;
    private Path mount;

    @BeforeEach
    void open() throws IOException {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(VolumeSpec.named(NAME).sizeBytes(SIZE_BYTES).build());
        devices = KernelDevices.open(settings().build());
        mount = Files.createDirectory(directory.resolve("mnt"));
    }

    @AfterEach
    void close() {
        tryRun("umount " + mount);
        devices.close();
        longhorn.close();
        assertNothingLeft();
    }

    private KernelDeviceSettings.Builder settings() {
        return KernelDeviceSettings.builder(directory.resolve("state"))
                .devicesDirectory(directory.resolve("dev"))
                .mechanism(DeviceMechanism.FUSE);
    }

    private void assertNothingLeft() {
        assertThat(sh("cat /proc/mounts")).doesNotContain(directory.toString(), "fuse");
        assertThat(loops()).isEmpty();
        assertThat(directory.resolve("dev").toFile().list()).isNullOrEmpty();
        assertThat(directory.resolve("state").toFile().list()).containsExactly("lock");
    }

    /** The numbers of the loop devices that this test's state directory has. */
    private List<LoopDevice> loops() {
        try {
            Path state = directory.resolve("state").toRealPath();
            return LoopDevice.labelled(
                    new FuseLoopMechanism(Host.real(), new HostCommands(state), state, 512).labelPrefix());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs"})
    void aTreeIsTheSameAfterItsCacheIsDropped(String type) {
        Path path = devices.attach(BlockDevice.of(volume));
        assertThat(path).isEqualTo(directory.resolve("dev").resolve(NAME));
        sh("mkfs." + type + " -q " + path + " && mount " + path + " " + mount);
        sh("cp -a " + TREE + " " + mount + "/tree && sync && echo 3 > /proc/sys/vm/drop_caches");
        sh("diff -r --no-dereference " + TREE + " " + mount + "/tree");
        sh("umount " + mount);
        sh(type.equals("ext4") ? "e2fsck -fn " + path : "xfs_repair -n " + path);
        devices.detach(NAME);
        assertNothingLeft();
    }

    @Test
    void theLoopDevicePassesRequestsPastThePageCache() throws IOException {
        Path loop = Files.readSymbolicLink(devices.attach(BlockDevice.of(volume)));
        Path sys = Path.of("/sys/block").resolve(loop.getFileName());
        assertThat(Files.readString(sys.resolve("loop/dio")).strip()).isEqualTo("1");
        assertThat(Files.readString(sys.resolve("queue/discard_granularity")).strip())
                .isEqualTo("4096");
        assertThat(Files.readString(sys.resolve("ro")).strip()).isEqualTo("0");
        assertThat(sh("blockdev --getss --getsize64 " + loop)).isEqualTo("512\n" + SIZE_BYTES);
    }

    @Test
    void discardGivesSpaceBackInTheReplicas() {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("mkfs.ext4 -q " + path + " && mount " + path + " " + mount);
        sh("dd if=/dev/urandom of=" + mount + "/large bs=1M count=200 conv=fsync status=none");
        long full = volume.spaceUsage().actualBytes();
        assertThat(full).isGreaterThan(200L << 20);
        sh("rm " + mount + "/large && sync && fstrim " + mount);
        // Replicas punch holes in the background.
        awaitTrue(() -> volume.spaceUsage().actualBytes() < full - (190L << 20));
    }

    @Test
    void wrongAnswersOfTheDeviceWouldBeSeenByFio() {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("DEVICE=" + path + " fio ../../docs/fio/device-verify.fio");
    }

    @Test
    void aSnapshotTakenUnderLoadIsASoundFileSystem() throws Exception {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("mkfs.ext4 -q " + path + " && mount " + path + " " + mount);
        Process load = HostShell.start(
                "while :; do cp -a " + TREE + "/lib " + mount + "/lib; rm -r " + mount + "/lib; done",
                directory.resolve("load.out"));
        sh("while [ ! -d " + mount + "/lib/server ]; do sleep 0.1; done");
        HeldSnapshot held = volume.snapshot("under-load").hold();
        sh("kill " + load.pid());
        load.waitFor();
        Path snapshot = devices.attach(BlockDevice.of(held));
        assertThat(snapshot.getFileName()).hasToString("disk@under-load");
        assertThat(tryRun("dd if=/dev/zero of=" + snapshot + " count=1 oflag=direct")
                        .exitCode())
                .isNotZero();
        // As after a power cut: the journal tells what was on its way, so the check is of a copy that may replay it.
        sh("cp --sparse=always " + snapshot + " " + directory + "/copy && e2fsck -fy -E journal_only " + directory
                + "/copy; e2fsck -fn " + directory + "/copy");
        devices.detach(snapshot.getFileName().toString());
        held.close();
    }

    @Test
    void xfsGrowsWithItsVolumeWhileMounted() {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("mkfs.xfs -q " + path + " && mount " + path + " " + mount);
        expand();
        sh("xfs_growfs " + mount);
        assertMountIsLarge();
        sh("umount " + mount + " && xfs_repair -n " + path);
    }

    @Test
    void ext4GrowsWithItsVolumeWhileMounted() throws IOException {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("mkfs.ext4 -q " + path + " && mount " + path + " " + mount);
        expand();
        // The kernel wants one more capability for ext4 than for anything else here, which containers take away.
        String unmount = mayResizeExt4() ? "" : "umount " + mount + " && e2fsck -fp " + path + " && ";
        String remount = mayResizeExt4() ? "" : " && mount " + path + " " + mount;
        sh(unmount + "resize2fs " + path + remount);
        assertMountIsLarge();
        sh("umount " + mount + " && e2fsck -fn " + path);
    }

    private void expand() {
        volume.expandTo(2 * SIZE_BYTES);
        devices.refresh(NAME);
        assertThat(sh("blockdev --getsize64 " + directory.resolve("dev").resolve(NAME)))
                .isEqualTo(String.valueOf(2 * SIZE_BYTES));
    }

    private void assertMountIsLarge() {
        assertThat(Long.parseLong(sh("df --output=size -B1 " + mount + " | tail -n 1")))
                .isGreaterThan(SIZE_BYTES * 18 / 10);
    }

    private static boolean mayResizeExt4() throws IOException {
        String effective = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .findFirst()
                .orElseThrow();
        return (Long.parseLong(effective.substring("CapEff:".length()).strip(), 16) >> CAP_SYS_RESOURCE & 1) == 1;
    }

    @Test
    void theKernelIsToldANewSizeByItself() {
        Path path = devices.attach(BlockDevice.of(volume));
        volume.expandTo(SIZE_BYTES + (8 << 20));
        sh("for i in $(seq 100); do [ $(blockdev --getsize64 " + path + ") = " + (SIZE_BYTES + (8 << 20))
                + " ] && exit 0; sleep 0.1; done; exit 1");
    }

    @Test
    void aDeviceInUseIsNotDetached() throws Exception {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("mkfs.ext4 -q " + path + " && mount " + path + " " + mount);
        assertThatThrownBy(() -> devices.detach(NAME))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("mounted at " + mount);
        assertThatThrownBy(() -> devices.close()).isInstanceOf(DeviceBusyException.class);
        sh("touch " + mount + "/still-works && sync && umount " + mount);

        Process reader = HostShell.start("exec sleep 60 <" + path, directory.resolve("reader.out"));
        sh("while [ \"$(readlink /proc/" + reader.pid() + "/fd/0)\" != " + Files.readSymbolicLink(path)
                + " ]; do sleep 0.05; done");
        assertThatThrownBy(() -> devices.detach(NAME))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("open in process " + reader.pid() + " (sleep)");
        sh("dd if=" + path + " of=/dev/null bs=1M count=1 iflag=direct status=none");
        reader.destroy();
        reader.waitFor();
        devices.detach(NAME);
        assertNothingLeft();
    }

    @Test
    void aNameThatIsTakenIsRefused() throws IOException {
        devices.attach(BlockDevice.of(volume));
        assertThatThrownBy(() -> devices.attach(BlockDevice.of(volume)))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("attached as");
        devices.detach(NAME);
        Path foreign = Files.createFile(directory.resolve("dev").resolve(NAME));
        assertThatThrownBy(() -> devices.attach(BlockDevice.of(volume)))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("was not made by this daemon");
        Files.delete(foreign);
        assertThatThrownBy(() -> KernelDevices.open(settings().build()))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("another process");
    }

    @Test
    void aLinkToADeviceThatIsGoneIsReplacedAndAnyOtherIsNot() throws IOException {
        Path link = devices.attach(BlockDevice.of(volume));
        Path unused = Files.readSymbolicLink(link);
        devices.detach(NAME);
        for (Path target : List.of(unused, Path.of("/dev/longhorn-gone"))) {
            Files.createSymbolicLink(link, target);
            devices.attach(BlockDevice.of(volume));
            assertThat(link.toRealPath()).isEqualTo(Files.readSymbolicLink(link));
            devices.detach(NAME);
            assertNothingLeft();
        }
        for (Path target : List.of(Path.of("/dev/null"), directory.resolve("not there"))) {
            Files.createSymbolicLink(link, target);
            assertThatThrownBy(() -> devices.attach(BlockDevice.of(volume)))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("was not made by this daemon");
            Files.delete(link);
        }
    }

    @Test
    void manyDevicesComeAndGoWithoutLeavingAnything() throws IOException {
        long before = openDescriptors();
        for (int i = 0; i < 30; i++) {
            devices.attach(BlockDevice.of(volume));
            devices.detach(NAME);
        }
        assertNothingLeft();
        assertThat(openDescriptors()).isLessThanOrEqualTo(before + 2);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().equals("longhorn-device-" + NAME));
    }

    /** Each command that one of them runs may inherit, for a moment, what others have open. */
    @Test
    void manyDevicesGoAtTheSameTimeWithoutLeavingAnything() {
        for (int i = 0; i < 64; i++) {
            devices.attach(BlockDevice.of(longhorn.create(
                    VolumeSpec.named("many-" + i).sizeBytes(1 << 20).replicas(1).build())));
        }
        devices.close();
        assertNothingLeft();
    }

    @Test
    void aReplicaIsLostAndComesBackWhileTheDeviceIsWritten() throws Exception {
        Path path = devices.attach(BlockDevice.of(volume));
        sh("mkfs.ext4 -q " + path + " && mount " + path + " " + mount);
        Process copy = HostShell.start("cp -a " + TREE + "/lib " + mount + "/lib && sync", directory.resolve("cp.out"));
        sh("while [ ! -d " + mount + "/lib/server ]; do sleep 0.1; done");
        volume.replicas().remove(volume.replicas().list().get(0).id());
        assertThat(copy.waitFor())
                .as(Files.readString(directory.resolve("cp.out")))
                .isZero();
        sh("echo 3 > /proc/sys/vm/drop_caches; diff -r --no-dereference " + TREE + "/lib " + mount + "/lib");
    }

    private static void awaitTrue(BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(WAIT_LIMIT_SECONDS));
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
    }

    private static long openDescriptors() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.count();
        }
    }
}
