package io.longhorn.frontend.iscsi;

import io.longhorn.HostPort;
import io.longhorn.frontend.FrontendMemory;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A network portal through which initiators reach targets (RFC 7143 3.1), each of which is a block device. Any thread may call; {@link #serve}, {@link #withdraw} and
 * {@link #close} block. Its threads are named {@code longhorn-iscsi-N}, at most {@value #THREADS_MAX}.
 */
public final class IscsiPortal implements AutoCloseable {

    /** How many event loops serve the connections, at most: one per processor up to this. */
    static final int THREADS_MAX = 4;

    private static final Logger LOG = LoggerFactory.getLogger(IscsiPortal.class);

    /** How much may be written and not sent yet before a connection's answers wait, and when they go on. */
    private static final WriteBufferWaterMark UNSENT_BYTES = new WriteBufferWaterMark(256 << 10, 1 << 20);

    private static final int READ_BYTES_MIN = 4096;
    private static final int READ_BYTES_FIRST = 16 << 10;
    private static final int READ_BYTES_MAX = 256 << 10;
    private static final int BACKLOG = 128;
    private static final long SHUTDOWN_SECONDS = 10;

    private final PortalState state;
    private final ByteBufAllocator allocator;
    private final EventLoopGroup loops;
    private final List<Channel> listeners = new ArrayList<>();
    private final Set<IscsiConnection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closed = new AtomicBoolean();

    private IscsiPortal(IscsiSettings settings, ByteBufAllocator allocator) {
        this.allocator = allocator;
        state = new PortalState(settings);
        int threads = Math.min(THREADS_MAX, Runtime.getRuntime().availableProcessors());
        loops = new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory("longhorn-iscsi"), NioIoHandler.newFactory());
    }

    /**
     * Starts a portal without targets.
     *
     * @throws PortalListenException if it cannot listen on one of the addresses; then it listens on none
     */
    public static IscsiPortal start(IscsiSettings settings) {
        return start(settings, FrontendMemory.pool());
    }

    /** @param allocator where the memory of all connections comes from */
    static IscsiPortal start(IscsiSettings settings, ByteBufAllocator allocator) {
        IscsiPortal portal = new IscsiPortal(settings, allocator);
        try {
            settings.addresses().forEach(portal::listen);
        } catch (PortalListenException e) {
            portal.close();
            throw e;
        }
        return portal;
    }

    /** The first address it listens on, with the port it got. */
    public HostPort address() {
        return addresses().get(0);
    }

    /** All addresses it listens on, with the ports it got, in the order of the settings. */
    public List<HostPort> addresses() {
        List<HostPort> addresses = new ArrayList<>();
        for (Channel listener : listeners) {
            addresses.add(TextExchange.hostPort((InetSocketAddress) listener.localAddress()));
        }
        return addresses;
    }

    /**
     * Serves a target from now on, until it is withdrawn or the portal closed. Loads its reservations.
     *
     * @throws TargetExistsException if it serves a target of that name already
     * @throws IllegalStateException if the portal is closed
     */
    public void serve(IscsiTargetSpec spec) {
        if (closed.get()) {
            throw new IllegalStateException("the portal is closed");
        }
        if (state.targets().find(spec.iqn()).isPresent()) {
            throw new TargetExistsException(spec.iqn());
        }
        ServedTarget target = new ServedTarget(spec);
        if (!state.targets().add(target)) {
            target.scsi().close();
            throw new TargetExistsException(spec.iqn());
        }
        LOG.info(
                "iSCSI target is served: target={} device={}",
                spec.iqn(),
                spec.device().name());
    }

    /** Whether a target of that name is served. */
    public boolean serves(String iqn) {
        return state.targets().find(iqn.toLowerCase(Locale.ROOT)).isPresent();
    }

    /** How many sessions use a target now; 0 if it is not served. */
    public int sessions(String iqn) {
        return state.targets()
                .find(iqn.toLowerCase(Locale.ROOT))
                .map(target -> target.sessions().size())
                .orElse(0);
    }

    /** {@code iscsi://HOST:PORT/IQN/LUN} of a target that is served, with the advertised address if there is one; empty if it is not. */
    public Optional<String> uri(String iqn) {
        return state.targets()
                .find(iqn.toLowerCase(Locale.ROOT))
                .map(target -> "iscsi://" + state.settings().advertisedAddress().orElseGet(this::address) + "/"
                        + target.spec().iqn() + "/" + target.spec().lun());
    }

    /**
     * Serves a target no longer: asks its initiators to log out, disconnects after {@value FullFeature#LOGOUT_SECONDS} s those that do not, and waits for the commands in
     * flight, up to {@link IscsiSettings#withdrawLimit}. The device may be closed then. Does nothing if there is no such target.
     *
     * @return whether all commands in flight have ended
     */
    public boolean withdraw(String iqn) {
        Optional<ServedTarget> target = state.targets().remove(iqn.toLowerCase(Locale.ROOT));
        return target.isEmpty() || withdraw(List.of(target.get()));
    }

    private boolean withdraw(List<ServedTarget> targets) {
        List<IscsiConnection> connected = new ArrayList<>();
        for (ServedTarget target : targets) {
            connected.addAll(target.withdraw());
            target.sessions().forEach(session -> session.onLoop(session::requestLogout));
        }
        boolean allEnded = await(
                connected,
                TimeUnit.SECONDS.toNanos(FullFeature.LOGOUT_SECONDS)
                        + state.settings().withdrawLimit().toNanos());
        for (ServedTarget target : targets) {
            target.scsi().close();
            LOG.info(
                    "iSCSI target is served no longer: target={} allEnded={}",
                    target.spec().iqn(),
                    allEnded);
        }
        return allEnded;
    }

    /** Withdraws all targets as {@link #withdraw} does, and stops listening. Idempotent. */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        for (Channel listener : listeners) {
            var unused = listener.close().awaitUninterruptibly();
        }
        List<ServedTarget> targets = state.targets().all();
        targets.forEach(target -> state.targets().remove(target.spec().iqn()));
        withdraw(targets);
        List<IscsiConnection> others = List.copyOf(connections);
        for (IscsiConnection connection : others) {
            var unused = connection.channel().close();
        }
        await(others, TimeUnit.SECONDS.toNanos(SHUTDOWN_SECONDS));
        var unused =
                loops.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static boolean await(List<IscsiConnection> connections, long nanos) {
        long deadline = System.nanoTime() + nanos;
        boolean allEnded = true;
        for (IscsiConnection connection : connections) {
            Future<Void> ended = connection.ended();
            allEnded &= ended.awaitUninterruptibly(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
        return allEnded;
    }

    private void listen(HostPort address) {
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOCATOR, allocator)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNSENT_BYTES)
                .childOption(
                        ChannelOption.RECVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(READ_BYTES_MIN, READ_BYTES_FIRST, READ_BYTES_MAX))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                })
                .bind(new InetSocketAddress(address.host(), address.port()))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new PortalListenException(address.toString(), bound.cause());
        }
        listeners.add(bound.channel());
    }

    private void accept(Channel channel) {
        if (connections.size() >= state.settings().sessionsMax()) {
            LOG.warn("iSCSI connection is refused, there are too many: remote={}", channel.remoteAddress());
            var unused = channel.close();
            return;
        }
        IscsiConnection connection = new IscsiConnection(state);
        connections.add(connection);
        channel.pipeline().addLast(connection);
        var unused = connection.ended().addListener(done -> connections.remove(connection));
    }
}
