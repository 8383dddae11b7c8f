package io.longhorn.app.daemon;

import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.nbd.NbdAddress;
import io.longhorn.frontend.nbd.NbdServer;
import io.longhorn.frontend.nbd.NbdSettings;
import io.longhorn.frontend.nbd.NbdThreads;
import io.longhorn.frontend.nbd.NbdTls;
import io.longhorn.frontend.nbd.NbdTlsMode;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Shows devices as exports of NBD servers: one per address, shared by all that are shown there, all on the same threads. */
final class NbdFrontend implements Frontend {

    private final ListenRule rule;
    private final Optional<NbdTls> tls;
    private final SharedServers<NbdServer> servers;
    private @Nullable NbdThreads threads;

    NbdFrontend(FrontendSettings settings) {
        this.tls = settings.nbdTls();
        this.rule = new ListenRule(
                settings.trustedNetwork() || tls.flatMap(NbdTls::authority).isPresent());
        this.servers = new SharedServers<>(
                settings.nbd(), this::start, server -> server.address().toString());
    }

    /** A Unix socket is protected by its directory, and has no use for TLS. */
    private NbdServer start(String listen) {
        NbdAddress address = NbdAddress.parse(listen);
        NbdSettings.Builder settings = NbdSettings.builder().listen(address);
        if (address instanceof NbdAddress.Tcp tcp) {
            rule.check(tcp.hostPort());
            tls.ifPresent(files -> settings.tls(NbdTlsMode.REQUIRED, files));
        }
        return NbdServer.start(settings.build(), threads());
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
