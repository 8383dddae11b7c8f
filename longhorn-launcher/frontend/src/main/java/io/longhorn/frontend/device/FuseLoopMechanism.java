package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loop device on the one file of a FUSE mount. The mount is in no directory, so nobody comes across it by accident, and when this process ends the kernel takes it away. What
 * a crash leaves is the loop device, which is known by being dead: its file is of a mount in no directory that nobody serves.
 *
 * <p>This process opens the file itself, and asks for its attributes; the connection's thread answers that from memory. It never reads or writes the file or the loop device,
 * which could wait for threads that wait for it.
 */
final class FuseLoopMechanism implements Mechanism {

    private static final Logger LOG = LoggerFactory.getLogger(FuseLoopMechanism.class);

    private static final int HASH_DIGITS = 12;

    private final Host host;
    private final Commands commands;
    private final Quiescence quiescence;
    private final int blockBytes;
    private final String labelPrefix;

    /** @param stateDirectory a real path; the labels of the loop devices are bound to it */
    FuseLoopMechanism(Host host, Commands commands, Path stateDirectory, int blockBytes) {
        this.host = host;
        this.commands = commands;
        this.quiescence = new Quiescence(new DeviceUsers(host));
        this.blockBytes = blockBytes;
        UUID id = UUID.nameUUIDFromBytes(stateDirectory.toString().getBytes(StandardCharsets.UTF_8));
        this.labelPrefix = "longhorn:" + digits(id) + ":";
    }

    /** What the labels of all its loop devices begin with. */
    String labelPrefix() {
        return labelPrefix;
    }

    private static String digits(UUID id) {
        return HexFormat.of().toHexDigits(id.getMostSignificantBits()).substring(0, HASH_DIGITS);
    }

    @Override
    public DeviceMechanism kind() {
        return DeviceMechanism.FUSE;
    }

    @Override
    public Optional<String> missing() {
        String nativeAccess = NativeAccess.missing();
        if (nativeAccess != null) {
            return Optional.of("it needs " + nativeAccess);
        }
        if (!host.has("/dev/fuse")) {
            return Optional.of("there is no /dev/fuse (modprobe fuse)");
        }
        return host.has("/dev/loop-control")
                ? Optional.empty()
                : Optional.of("there is no /dev/loop-control (modprobe loop)");
    }

    @Override
    public AttachedDevice attach(BlockDevice device, DeviceRecord record) throws IOException, InterruptedException {
        FuseConnection.Opened opened = FuseConnection.open(device);
        try {
            String label = labelPrefix + digits(UUID.randomUUID()) + ":" + device.name();
            byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
            String cut =
                    new String(bytes, 0, Math.min(bytes.length, LoopStatus.LABEL_BYTES_MAX), StandardCharsets.UTF_8);
            LoopDevice loop = LoopDevice.attach(opened.fileDescriptor(), device.isReadOnly(), blockBytes, cut);
            return new FuseLoopDevice(device.name(), opened, loop, commands, quiescence);
        } catch (IOException | RuntimeException e) {
            KernelCalls.close(opened.fileDescriptor());
            throw e;
        }
    }

    /** Nothing to do here: {@link #clearLeftovers} finds all of them. */
    @Override
    public boolean cleanUpAtStart(DeviceRecord record) {
        return true;
    }

    @Override
    public void cleanUp(DeviceRecord record) {}

    /** Takes away the loop devices of processes that ended, of whatever state directory: they are of no use to anybody. One that is still in use fails all operations, and goes when its user does. */
    void clearLeftovers() throws IOException {
        for (LoopDevice loop : LoopDevice.dead()) {
            loop.clearWhenUnused();
            if (loop.exists()) {
                LOG.warn(
                        "a device of an earlier process is still in use and fails every operation until that ends"
                                + " device={} use=\"{}\"",
                        loop.path(),
                        quiescence.user(loop.path()));
            } else {
                LOG.info("a device of an earlier process was taken away device={}", loop.path());
            }
        }
    }
}
