package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.nbd.NbdAddress;
import io.longhorn.frontend.nbd.NbdServer;
import io.longhorn.frontend.nbd.NbdSettings;
import io.longhorn.frontend.nbd.NbdThreads;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Shows devices as exports of NBD servers: one per address, shared by all that are shown there, all on the same threads. */
final class NbdFrontend implements Frontend {

    private final ListenRule rule;
    private final SharedServers<NbdServer> servers;
    private @Nullable NbdThreads threads;

    /** @param usual where it listens unless an attachment says otherwise */
    NbdFrontend(Optional<HostPort> usual, ListenRule rule) {
        this.rule = rule;
        this.servers = new SharedServers<>(
                usual, this::start, server -> server.address().toString());
    }

    private NbdServer start(String listen) {
        NbdAddress address = NbdAddress.parse(listen);
        if (address instanceof NbdAddress.Tcp tcp) {
            rule.check(tcp.hostPort());
        }
        return NbdServer.start(NbdSettings.builder().listen(address).build(), threads());
    }

    private synchronized NbdThreads threads() {
        NbdThreads started = threads;
        if (started == null) {
            started = NbdThreads.start();
            threads = started;
        }
        return started;
    }

    @Override
    public FrontendKind kind() {
        return FrontendKind.NBD;
    }

    @Override
    public Optional<String> problem() {
        return Optional.empty();
    }

    @Override
    public Shown show(Attachment attachment, BlockDevice device, Set<String> taken) {
        return servers.use(attachment.listen(), (listen, server) -> {
            server.serve(device, "Longhorn volume " + device.name());
            return new Shown(listen, device.name(), server.uri(device.name()));
        });
    }

    @Override
    public void withdraw(Attachment attachment) {
        servers.leave(attachment.listen(), server -> server.withdraw(attachment.name()));
    }

    @Override
    public int clients(Attachment attachment) {
        return servers.find(attachment.listen())
                .map(server -> server.connections(attachment.name()))
                .orElse(0);
    }

    @Override
    public synchronized void close() {
        servers.close();
        if (threads != null) {
            threads.close();
            threads = null;
        }
    }
}
