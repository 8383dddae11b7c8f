package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.device.DeviceServer;
import io.longhorn.frontend.iscsi.IscsiNames;
import io.longhorn.frontend.iscsi.IscsiPortal;
import io.longhorn.frontend.iscsi.IscsiSettings;
import io.longhorn.frontend.iscsi.IscsiTargetSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel's iSCSI initiator logs in to: a portal on loopback, which starts with the first device. Its port is kept in a file, since sessions that outlive the daemon look
 * for their targets where they were.
 */
final class KernelIscsi implements DeviceServer, AutoCloseable {

    private final Path portFile;
    private @Nullable IscsiPortal portal;
    private boolean closed;

    KernelIscsi(Path portFile) {
        this.portFile = portFile;
    }

    private synchronized IscsiPortal portal() {
        if (closed) {
            throw new IllegalStateException("the frontend is closed");
        }
        IscsiPortal started = portal;
        if (started == null) {
            started = start();
            portal = started;
        }
        return started;
    }

    private IscsiPortal start() {
        try {
            HostPort before = new HostPort(
                    "127.0.0.1",
                    Files.exists(portFile)
                            ? Integer.parseInt(Files.readString(portFile).strip())
                            : 0);
            IscsiPortal started =
                    IscsiPortal.start(IscsiSettings.builder().listen(before).build());
            Files.writeString(portFile, started.address().port() + "\n");
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (IllegalArgumentException e) {
            throw new FrontendFailedException(FrontendKind.DEVICE, portFile + " is damaged: it holds a port", e);
        }
    }

    /** The same for a name at any time, and another for each, also if names differ only in what those of targets cannot have. */
    static String iqn(String name) {
        return IscsiNames.forVolume(name) + ":" + HexFormat.of().toHexDigits(name.hashCode());
    }

    @Override
    public synchronized URI serve(BlockDevice device) {
        IscsiPortal started = portal();
        String iqn = iqn(device.name());
        if (!started.serves(iqn)) {
            started.serve(IscsiTargetSpec.of(iqn, device).build());
        }
        return URI.create(started.uri(iqn).orElseThrow());
    }

    @Override
    public void withdraw(String name) {
        IscsiPortal started = running();
        if (started != null) {
            started.withdraw(iqn(name));
        }
    }

    private synchronized @Nullable IscsiPortal running() {
        return portal;
    }

    @Override
    public void close() {
        IscsiPortal started;
        synchronized (this) {
            closed = true;
            started = portal;
        }
        if (started != null) {
            started.close();
        }
    }
}
