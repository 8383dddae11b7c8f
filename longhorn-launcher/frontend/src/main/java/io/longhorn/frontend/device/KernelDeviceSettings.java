package io.longhorn.frontend.device;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where kernel devices are, and how they are made.
 *
 * @param stateDirectory where a later process finds what a crashed one left; created if absent, used by one process at a time
 * @param devicesDirectory where each device has a link with its name; created if absent. Default {@code /dev/longhorn}, as with Longhorn
 * @param mechanism the one to use; default empty: the first of {@link DeviceMechanism} that the host offers
 * @param blockBytes the logical block of {@link DeviceMechanism#FUSE} and {@link DeviceMechanism#NBD}, 512 or 4096. Default 512: partition tables, and file systems made
 *     elsewhere, are bound to it, and 512 is what iSCSI and Longhorn have. Whatever it is, ranges of whole 4096 bytes are the fast ones
 * @param nbdServer what {@link DeviceMechanism#NBD} logs in to; default empty: it is not used
 * @param iscsiTarget what {@link DeviceMechanism#ISCSI} logs in to; default empty: it is not used
 */
public record KernelDeviceSettings(
        Path stateDirectory,
        Path devicesDirectory,
        Optional<DeviceMechanism> mechanism,
        int blockBytes,
        Optional<DeviceServer> nbdServer,
        Optional<DeviceServer> iscsiTarget) {

    private static final Path DEVICES = Path.of("/dev/longhorn");

    public KernelDeviceSettings {
        Objects.requireNonNull(stateDirectory, "stateDirectory");
        Objects.requireNonNull(devicesDirectory, "devicesDirectory");
        if (blockBytes != 512 && blockBytes != 4096) {
            throw new IllegalArgumentException("blockBytes must be 512 or 4096, was " + blockBytes);
        }
    }

    public static Builder builder(Path stateDirectory) {
        return new Builder(stateDirectory);
    }

    /** Collects settings; one thread. */
    public static final class Builder {

        private final Path stateDirectory;
        private Path devicesDirectory = DEVICES;
        private @Nullable DeviceMechanism mechanism;
        private int blockBytes = 512;
        private @Nullable DeviceServer nbdServer;
        private @Nullable DeviceServer iscsiTarget;

        private Builder(Path stateDirectory) {
            this.stateDirectory = stateDirectory;
        }

        /** See {@link KernelDeviceSettings#devicesDirectory}. */
        public Builder devicesDirectory(Path directory) {
            devicesDirectory = directory;
            return this;
        }

        /** See {@link KernelDeviceSettings#mechanism}. */
        public Builder mechanism(DeviceMechanism only) {
            mechanism = only;
            return this;
        }

        /** See {@link KernelDeviceSettings#blockBytes}. */
        public Builder blockBytes(int bytes) {
            blockBytes = bytes;
            return this;
        }

        /** See {@link KernelDeviceSettings#nbdServer}. */
        public Builder nbdServer(DeviceServer server) {
            nbdServer = server;
            return this;
        }

        /** See {@link KernelDeviceSettings#iscsiTarget}. */
        public Builder iscsiTarget(DeviceServer target) {
            iscsiTarget = target;
            return this;
        }

        public KernelDeviceSettings build() {
            return new KernelDeviceSettings(
                    stateDirectory,
                    devicesDirectory,
                    Optional.ofNullable(mechanism),
                    blockBytes,
                    Optional.ofNullable(nbdServer),
                    Optional.ofNullable(iscsiTarget));
        }
    }
}
