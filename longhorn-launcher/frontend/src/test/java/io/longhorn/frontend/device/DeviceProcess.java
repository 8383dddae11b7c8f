package io.longhorn.frontend.device;

import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.nio.file.Path;

/** A process of its own that serves a device until its input ends, or until it is killed. Prints the device's path. */
final class DeviceProcess {

    private DeviceProcess() {}

    /** Arguments: a directory for all it has, the name of the volume, its size in bytes. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        KernelDeviceSettings settings = KernelDeviceSettings.builder(directory.resolve("state"))
                .devicesDirectory(directory.resolve("dev"))
                .mechanism(DeviceMechanism.FUSE)
                .build();
        try (Longhorn longhorn = Longhorn.embedded(directory.resolve("data"));
                KernelDevices devices = KernelDevices.open(settings)) {
            Volume volume = longhorn.volumes().contains(arguments[1])
                    ? longhorn.open(arguments[1])
                    : longhorn.create(VolumeSpec.named(arguments[1])
                            .sizeBytes(Long.parseLong(arguments[2]))
                            .build());
            System.out.println(devices.attach(BlockDevice.of(volume)));
            while (System.in.read() >= 0) {
                // Serves on.
            }
        }
    }
}
