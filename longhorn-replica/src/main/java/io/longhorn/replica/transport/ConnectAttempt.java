package io.longhorn.replica.transport;

import io.longhorn.HostPort;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connect: name look-up, then one address after another, within one time limit. Belongs to the loop. */
final class ConnectAttempt implements NioLoop.Member, LoopSockets.Ready, NameLookup.Answer {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectAttempt.class);

    private final NioLoop loop;
    private final String endpoint;
    private final TransportLimits limits;
    private final Optional<TlsEngines> tls;
    private final Connection.Connector.Result result;

    private String host = "";
    private int port;
    private List<InetAddress> addresses = List.of();
    private int next;
    private @Nullable SocketChannel channel;
    private Loop.@Nullable Timer limit;
    /** Connected, but the peer has not proved who it is. */
    private @Nullable NioConnection unverified;

    private boolean decided;
    /** What a time-out would mean now. */
    private String doing = "";

    ConnectAttempt(
            NioLoop loop,
            String endpoint,
            TransportLimits limits,
            Optional<TlsEngines> tls,
            Connection.Connector.Result result) {
        this.loop = loop;
        this.endpoint = endpoint;
        this.limits = limits;
        this.tls = tls;
        this.result = result;
    }

    void start(NameLookup names, HostPort address) {
        host = address.host();
        port = address.port();
        doing = "looking up " + address.host();
        limit = loop.schedule(limits.connect().toNanos(), this::onTimeUp);
        loop.add(this);
        names.find(loop, address.host(), this);
    }

    @Override
    public void onFound(List<InetAddress> found) {
        addresses = found;
        tryNext("no address");
    }

    @Override
    public void onFailed(String cause) {
        fail(cause);
    }

    @Override
    public void onReady(SelectionKey key) {
        SocketChannel connecting = channel;
        if (decided || connecting == null || unverified != null) {
            return;
        }
        try {
            if (connecting.finishConnect()) {
                succeed(connecting);
            }
        } catch (IOException e) {
            closeChannel();
            tryNext(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void onLoopClosing() {
        fail("the loop was closed");
    }

    private void onTimeUp() {
        fail("no answer within " + limits.connect().toMillis() + " ms while " + doing);
    }

    private void tryNext(String lastCause) {
        String cause = lastCause;
        while (!decided) {
            if (next == addresses.size()) {
                fail(cause);
                return;
            }
            InetSocketAddress address = new InetSocketAddress(addresses.get(next++), port);
            doing = "connecting to " + address;
            try {
                if (open(address)) {
                    return;
                }
            } catch (IOException | UnresolvedAddressException e) {
                closeChannel();
                cause = String.valueOf(e.getMessage());
            }
        }
    }

    /** Returns whether the attempt goes on, or has succeeded. */
    private boolean open(InetSocketAddress address) throws IOException {
        SocketChannel opened = SocketChannel.open();
        channel = opened;
        NioConnection.configure(opened);
        if (opened.connect(address)) {
            succeed(opened);
        } else {
            loop.sockets().register(opened, SelectionKey.OP_CONNECT, this);
        }
        return true;
    }

    private void succeed(SocketChannel connected) throws IOException {
        doing = "negotiating TLS with " + endpoint;
        NioConnection connection = tls.isEmpty()
                ? NioConnection.plain(loop, connected, endpoint, limits)
                : NioConnection.encrypted(
                        loop, connected, endpoint, limits, tls.get().connecting(host, port));
        unverified = connection;
        connection.begin(this::onConnected, cause -> fail(tls.isEmpty() ? cause : cause + ", while " + doing));
    }

    private Connection.Handler onConnected(Connection connection) {
        decide();
        return result.onConnected(connection);
    }

    void fail(String cause) {
        if (decided) {
            return;
        }
        decide();
        NioConnection handshaking = unverified;
        if (handshaking != null) {
            handshaking.end(cause, false);
        }
        closeChannel();
        result.onFailed("cannot connect to " + endpoint + ": " + cause);
    }

    private void decide() {
        decided = true;
        loop.remove(this);
        Loop.Timer timer = limit;
        if (timer != null) {
            timer.cancel();
        }
    }

    private void closeChannel() {
        SocketChannel opened = channel;
        channel = null;
        if (opened != null) {
            loop.sockets().keyGone();
            try {
                opened.close();
            } catch (IOException e) {
                LOG.debug("the socket to {} did not close", endpoint, e);
            }
        }
    }
}
