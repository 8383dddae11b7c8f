package io.longhorn.replica.transport;

import io.longhorn.HostPort;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.Optional;

/** Connections between processes, over TCP. Endpoints are {@code host:port} or {@code [ipv6]:port}. Safe for any thread. */
public final class NioTransport implements Connection.Connector {
    private final TransportLimits limits;
    private final Optional<TlsEngines> tls;
    private final NameLookup names;

    /** Without encryption: for loopback, and networks that are trusted as a whole. */
    public NioTransport(TransportLimits limits) {
        this(limits, Optional.empty(), InetAddress::getAllByName);
    }

    /** Both for connecting and for accepting with TLS. */
    public NioTransport(TransportLimits limits, TlsEngines tls) {
        this(limits, Optional.of(tls), InetAddress::getAllByName);
    }

    NioTransport(TransportLimits limits, Optional<TlsEngines> tls, NameLookup.Resolver resolver) {
        this.limits = Objects.requireNonNull(limits, "limits");
        this.tls = tls;
        names = new NameLookup(resolver);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Any thread may call this. A name with several addresses is tried one after another. With TLS the connection counts as made when this side has
     * verified the peer; a peer that refuses our certificate may say so only after that, and the connection is closed then.
     *
     * @param loop a {@link NioLoop}
     */
    @Override
    public void connect(Loop loop, String endpoint, Result result) {
        if (!(loop instanceof NioLoop nioLoop)) {
            throw new IllegalArgumentException("sockets need a NioLoop, not " + loop);
        }
        ConnectAttempt attempt = new ConnectAttempt(nioLoop, endpoint, limits, tls, result);
        HostPort address;
        try {
            address = HostPort.parse(endpoint);
        } catch (IllegalArgumentException e) {
            nioLoop.execute(() -> attempt.fail(String.valueOf(e.getMessage())));
            return;
        }
        nioLoop.execute(() -> attempt.start(names, address));
    }

    /**
     * Accepts connections on {@code loop}; they stay there until they are moved ({@link MovableConnection}). With TLS the acceptor hears only of
     * peers that have proved who they are.
     *
     * @param address where to listen; port 0 takes any free one, see {@link Listener#localAddress}
     * @throws IOException if the address cannot be had; says which and why
     */
    public Listener listen(NioLoop loop, InetSocketAddress address, Connection.Acceptor acceptor) throws IOException {
        return Listener.open(loop, address, limits, tls, acceptor);
    }
}
