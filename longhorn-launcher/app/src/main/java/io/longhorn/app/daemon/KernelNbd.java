package io.longhorn.app.daemon;

import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.device.DeviceServer;
import io.longhorn.frontend.nbd.NbdServer;
import io.longhorn.frontend.nbd.NbdSettings;
import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What the kernel's NBD client logs in to: a server on a socket in the daemon's directory, which starts with the first device. */
final class KernelNbd implements DeviceServer, AutoCloseable {

    private final Path socket;
    private @Nullable NbdServer server;
    private boolean closed;

    KernelNbd(Path socket) {
        this.socket = socket;
    }

    private synchronized NbdServer server() {
        if (closed) {
            throw new IllegalStateException("the frontend is closed");
        }
        NbdServer started = server;
        if (started == null) {
            started = NbdServer.start(NbdSettings.builder().listen(socket).build());
            server = started;
        }
        return started;
    }

    @Override
    public synchronized URI serve(BlockDevice device) {
        NbdServer started = server();
        if (!started.exports().contains(device.name())) {
            started.serve(device, "");
        }
        return URI.create(started.uri(device.name()));
    }

    @Override
    public void withdraw(String name) {
        NbdServer started = running();
        if (started != null) {
            started.withdraw(name);
        }
    }

    private synchronized @Nullable NbdServer running() {
        return server;
    }

    @Override
    public void close() {
        NbdServer started;
        synchronized (this) {
            closed = true;
            started = server;
        }
        if (started != null) {
            started.close();
        }
    }
}
