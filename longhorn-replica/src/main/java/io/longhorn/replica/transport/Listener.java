package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts connections at one address. A connection is a stranger until its first whole frame was handled and it is still open; strangers have a
 * time limit, and there may only be so many.
 */
public final class Listener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    /** Connections that the system may queue before they are accepted. */
    private static final int BACKLOG = 1024;
    /** Connections accepted before others have their turn. */
    private static final int ACCEPTS_PER_TURN = 64;
    /** After a failed accept, which mostly means that the process has no file descriptors left. */
    private static final long PAUSE_NANOS = 100_000_000L;
    /** Between two log lines about refused connections. */
    private static final long REPORT_NANOS = 10_000_000_000L;

    private final NioLoop loop;
    private final ServerSocketChannel channel;
    private final InetSocketAddress localAddress;
    private final TransportLimits limits;
    private final Optional<TlsEngines> tls;
    private final Connection.Acceptor acceptor;
    private final Door door = new Door();

    private Listener(
            NioLoop loop,
            ServerSocketChannel channel,
            InetSocketAddress localAddress,
            TransportLimits limits,
            Optional<TlsEngines> tls,
            Connection.Acceptor acceptor) {
        this.loop = loop;
        this.channel = channel;
        this.localAddress = localAddress;
        this.limits = limits;
        this.tls = tls;
        this.acceptor = acceptor;
    }

    static Listener open(
            NioLoop loop,
            InetSocketAddress address,
            TransportLimits limits,
            Optional<TlsEngines> tls,
            Connection.Acceptor acceptor)
            throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            if (address.isUnresolved()) {
                throw new IOException("the host " + address.getHostString() + " has no known address");
            }
            channel.bind(address, BACKLOG);
            SocketAddress bound = channel.getLocalAddress();
            if (!(bound instanceof InetSocketAddress local)) {
                throw new IOException("the socket is bound to " + bound + ", which is no internet address");
            }
            Listener listener = new Listener(loop, channel, local, limits, tls, acceptor);
            loop.execute(listener.door::open);
            return listener;
        } catch (IOException e) {
            channel.close();
            throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
        }
    }

    /** Where this listens, with the port that was taken. */
    public InetSocketAddress localAddress() {
        return localAddress;
    }

    /** Accepts nothing more, from now on. Connections stay. Any thread; repeated calls do nothing. */
    @Override
    public void close() {
        door.closeChannel();
        try {
            loop.execute(door::closed);
        } catch (RejectedExecutionException e) {
            LOG.debug("listener {} was closed after its loop", localAddress, e);
        }
    }

    /** The part that belongs to the loop. */
    private final class Door implements NioLoop.Member, LoopSockets.Ready {
        private int strangers;
        private boolean reporting;
        private int unreported;
        private String lastCause = "";

        void open() {
            if (!channel.isOpen()) {
                return;
            }
            try {
                loop.sockets().register(channel, SelectionKey.OP_ACCEPT, this);
                loop.add(this);
            } catch (IOException e) {
                LOG.error("cannot listen on {}", localAddress, e);
                closeChannel();
            }
        }

        @Override
        public void onReady(SelectionKey key) {
            try {
                for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
                    SocketChannel accepted = channel.accept();
                    if (accepted == null) {
                        return;
                    }
                    admit(accepted);
                }
            } catch (IOException e) {
                if (!channel.isOpen()) {
                    return;
                }
                LOG.warn("cannot accept connections on {} at the moment", localAddress, e);
                loop.sockets().interest(key, 0);
                loop.schedule(PAUSE_NANOS, () -> {
                    if (key.isValid()) {
                        loop.sockets().interest(key, SelectionKey.OP_ACCEPT);
                    }
                });
            }
        }

        private void admit(SocketChannel accepted) throws IOException {
            if (strangers >= limits.strangersMax()) {
                accepted.close();
                report("refused it: " + strangers + " others have not sent a frame yet");
                return;
            }
            NioConnection connection;
            try {
                NioConnection.configure(accepted);
                connection = newConnection(accepted, nameOf(accepted.getRemoteAddress()));
            } catch (IOException e) {
                LOG.debug("a connection to {} broke before it was accepted", localAddress, e);
                accepted.close();
                return;
            }
            strangers++;
            connection.watch(new Acquaintance(connection));
            connection.begin(
                    acceptor::onAccepted, cause -> LOG.debug("nobody was asked to handle a connection: {}", cause));
        }

        private NioConnection newConnection(SocketChannel accepted, String peerName) throws IOException {
            return tls.isEmpty()
                    ? NioConnection.plain(loop, accepted, peerName, limits)
                    : NioConnection.encrypted(
                            loop, accepted, peerName, limits, tls.get().accepting());
        }

        /** At most one line in a while, whatever the other side does. */
        private void report(String cause) {
            if (reporting) {
                unreported++;
                lastCause = cause;
                return;
            }
            LOG.info("a connection to {} came to nothing: {}", localAddress, cause);
            reporting = true;
            loop.schedule(REPORT_NANOS, () -> {
                reporting = false;
                if (unreported > 0) {
                    LOG.info(
                            "{} more connections to {} came to nothing, the last: {}",
                            unreported,
                            localAddress,
                            lastCause);
                    unreported = 0;
                }
            });
        }

        @Override
        public void onLoopClosing() {
            closeChannel();
        }

        void closed() {
            loop.sockets().keyGone();
            loop.remove(this);
        }

        void closeChannel() {
            try {
                channel.close();
            } catch (IOException e) {
                LOG.warn("the listening socket of {} did not close", localAddress, e);
            }
        }

        private final class Acquaintance implements FrameConnection.Stranger {
            private final Loop.Timer limit;

            Acquaintance(NioConnection connection) {
                limit = loop.schedule(
                        limits.firstFrame().toNanos(),
                        () -> connection.endStranger(connection.peerName() + " sent no frame within "
                                + limits.firstFrame().toMillis() + " ms"));
            }

            @Override
            public void onKnown() {
                onDoorLoop(this::forget);
            }

            @Override
            public void onGone(String cause) {
                onDoorLoop(() -> {
                    forget();
                    report(cause);
                });
            }

            private void forget() {
                strangers--;
                limit.cancel();
            }

            /** The connection may have moved before its first frame. */
            private void onDoorLoop(Runnable step) {
                if (loop.inLoop()) {
                    step.run();
                } else {
                    loop.execute(step);
                }
            }
        }
    }

    private static String nameOf(SocketAddress peer) {
        return peer instanceof InetSocketAddress internet
                ? new io.longhorn.HostPort(internet.getAddress().getHostAddress(), internet.getPort()).toString()
                : String.valueOf(peer);
    }
}
