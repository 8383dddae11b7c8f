package io.longhorn.app.daemon;

import io.longhorn.FrontendException;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.device.DeviceMechanism;
import io.longhorn.frontend.device.KernelDeviceSettings;
import io.longhorn.frontend.device.KernelDevices;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Shows devices as block devices of this machine, under {@code /dev/longhorn}. */
final class DeviceFrontend implements Frontend {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceFrontend.class);

    private final @Nullable KernelDevices devices;
    private final Optional<String> problem;
    private final KernelNbd nbd;
    private final KernelIscsi iscsi;

    private DeviceFrontend(
            @Nullable KernelDevices devices, Optional<String> problem, KernelNbd nbd, KernelIscsi iscsi) {
        this.devices = devices;
        this.problem = problem;
        this.nbd = nbd;
        this.iscsi = iscsi;
    }

    /**
     * Takes away what an earlier daemon left behind.
     *
     * @param state where it keeps what it must find again
     * @param mechanism empty: the first that this machine offers
     */
    static DeviceFrontend open(Path state, Optional<DeviceMechanism> mechanism) {
        KernelNbd nbd = new KernelNbd(state.resolve("nbd.sock"));
        KernelIscsi iscsi = new KernelIscsi(state.resolve("iscsi.port"));
        KernelDeviceSettings.Builder settings =
                KernelDeviceSettings.builder(state).nbdServer(nbd).iscsiTarget(iscsi);
        mechanism.ifPresent(settings::mechanism);
        try {
            return new DeviceFrontend(KernelDevices.open(settings.build()), Optional.empty(), nbd, iscsi);
        } catch (FrontendException e) {
            LOG.info("no devices of the kernel here: {}", e.toString());
            return new DeviceFrontend(null, Optional.of(String.valueOf(e.getMessage())), nbd, iscsi);
        }
    }

    @Override
    public FrontendKind kind() {
        return FrontendKind.DEVICE;
    }

    @Override
    public Optional<String> problem() {
        return problem;
    }

    private KernelDevices devices() {
        if (devices == null) {
            throw new FrontendFailedException(FrontendKind.DEVICE, problem.orElse("closed"));
        }
        return devices;
    }

    @Override
    public Shown show(Attachment attachment, BlockDevice device, Set<String> taken) {
        if (!attachment.listen().isEmpty()) {
            throw new IllegalArgumentException("frontend device listens nowhere, not at " + attachment.listen());
        }
        return new Shown("", device.name(), devices().attach(device).toString());
    }

    @Override
    public void withdraw(Attachment attachment) {
        devices().detach(attachment.name());
    }

    /** Whether it is mounted or open only the kernel knows, and says when it is withdrawn. */
    @Override
    public int clients(Attachment attachment) {
        return 0;
    }

    /** Devices that are in use stay until their users go: see {@link DeviceMechanism} for what their operations do. */
    @Override
    public void close() {
        try (nbd;
                iscsi) {
            if (devices != null) {
                devices.close();
            }
        }
    }
}
