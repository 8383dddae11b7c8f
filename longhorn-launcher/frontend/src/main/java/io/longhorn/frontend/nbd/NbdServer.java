package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.FrontendMemory;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves block devices to clients of the NBD protocol: fixed newstyle negotiation, structured replies, block status, TLS. A client that breaks the protocol is disconnected
 * and disturbs no other. All methods may be called from any thread but those of {@link NbdThreads} and the ones on which a device's stages complete, for they wait.
 */
public final class NbdServer implements AutoCloseable {

    /** Replies that a client has not taken yet, above which nothing more is read from it, and below which it is again. */
    private static final int UNSENT_BYTES_HIGH = 1 << 20;

    private static final int UNSENT_BYTES_LOW = 256 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(NbdServer.class);

    private final NbdSettings settings;
    private final NbdThreads threads;
    private final boolean ownsThreads;
    private final Exports exports = new Exports();
    private final Shared shared;
    private final Listeners listeners = new Listeners();
    private final List<NbdAddress> addresses;
    private final Set<Channel> channels = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile boolean closed;

    private NbdServer(NbdSettings settings, NbdThreads threads, boolean ownsThreads, ByteBufAllocator allocator) {
        this.settings = settings;
        this.threads = threads;
        this.ownsThreads = ownsThreads;
        this.shared = new Shared(settings, exports, threads.workers(), TlsContexts.of(settings));
        try {
            settings.addresses().forEach(address -> listeners.add(bootstrap(allocator), address));
        } catch (RuntimeException e) {
            listeners.close();
            throw e;
        }
        this.addresses = listeners.addresses();
    }

    /**
     * Listens, and serves nothing yet.
     *
     * @throws ListenFailedException if an address cannot be listened on
     * @throws TlsFilesException if a file for TLS cannot be used
     */
    public static NbdServer start(NbdSettings settings) {
        NbdThreads threads = NbdThreads.start();
        try {
            return new NbdServer(settings, threads, true, FrontendMemory.pool());
        } catch (RuntimeException e) {
            threads.close();
            throw e;
        }
    }

    /** As {@link #start(NbdSettings)}, on threads that others may use too and that outlive the server. */
    public static NbdServer start(NbdSettings settings, NbdThreads threads) {
        return start(settings, threads, FrontendMemory.pool());
    }

    static NbdServer start(NbdSettings settings, NbdThreads threads, ByteBufAllocator allocator) {
        return new NbdServer(settings, threads, false, allocator);
    }

    private ServerBootstrap bootstrap(ByteBufAllocator allocator) {
        return new ServerBootstrap()
                .group(threads.loops())
                .childOption(ChannelOption.ALLOCATOR, allocator)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(UNSENT_BYTES_LOW, UNSENT_BYTES_HIGH))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
    }

    private void accept(Channel channel) {
        channels.add(channel);
        int count = connections.incrementAndGet();
        var unused = channel.closeFuture().addListener(future -> {
            connections.decrementAndGet();
            channels.remove(channel);
        });
        if (closed || count > settings.connectionsMax()) {
            LOG.debug("a connection too many is closed: client={}, connections={}", channel.remoteAddress(), count);
            var unusedClose = channel.close();
            return;
        }
        if (channel instanceof SocketChannel tcp) {
            // A client that ends its side gets the replies that are under way. Probes find one whose machine is gone.
            tcp.config().setAllowHalfClosure(true).setKeepAlive(true);
        }
        SocketReads reads = new SocketReads();
        channel.config().setRecvByteBufAllocator(reads);
        channel.pipeline().addLast(new Handshake(shared, reads));
    }

    /**
     * Serves a device from now on, under its name. The caller keeps it open until {@link #withdraw} has returned.
     *
     * @param description for people who look at the list of exports; may be empty
     * @throws ExportExistsException if a device of that name is served already
     * @throws IllegalArgumentException if the name is empty, or the name or description is longer than 4096 bytes
     * @throws IllegalStateException if the server is closed
     */
    public void serve(BlockDevice device, String description) {
        if (device.name().isEmpty()) {
            throw new IllegalArgumentException("a device without a name cannot be served");
        }
        checkString(device.name());
        checkString(description);
        if (closed) {
            throw new IllegalStateException("the server is closed");
        }
        exports.add(new Export(device, description));
    }

    private static void checkString(String text) {
        Objects.requireNonNull(text, "text");
        if (text.getBytes(StandardCharsets.UTF_8).length > NbdWire.NAME_BYTES_MAX || text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "names and descriptions have up to " + NbdWire.NAME_BYTES_MAX + " bytes, none of them 0");
        }
    }

    /**
     * Serves a device no longer: no client can choose it any more; what its clients have asked for is done and answered, and later requests are refused, until the limit of
     * the settings; then they are disconnected. Returns when they are. A request that outlasts the limit may still be at work in the device.
     *
     * @return false if no device of that name was served
     */
    public boolean withdraw(String name) {
        Export export = exports.remove(name);
        if (export == null) {
            return false;
        }
        end(List.of(export));
        return true;
    }

    private void end(Collection<Export> ending) {
        List<Transmission> clients = new ArrayList<>();
        ending.forEach(export -> clients.addAll(export.withdraw()));
        clients.forEach(Transmission::withdraw);
        long deadline = System.nanoTime() + settings.withdrawLimit().toNanos();
        for (Transmission client : clients) {
            boolean ended = client.channel()
                    .closeFuture()
                    .awaitUninterruptibly(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (!ended) {
                LOG.warn(
                        "a client is disconnected although its requests have not ended: client={}",
                        client.channel().remoteAddress());
                client.channel().close().awaitUninterruptibly();
            }
        }
    }

    /** The names of the devices that are served, in order. */
    public List<String> exports() {
        return exports.all().stream().map(Export::name).toList();
    }

    /** How many connections use a device now; 0 if it is not served. */
    public int connections(String name) {
        Export export = exports.get(name);
        return export == null ? 0 : export.connections().size();
    }

    /** Where it listens, the first of {@link #addresses}. */
    public NbdAddress address() {
        return addresses.get(0);
    }

    /** Where it listens, in the order of the settings, with the ports that were found for 0. */
    public List<NbdAddress> addresses() {
        return addresses;
    }

    /**
     * What clients take to connect to a device at {@link #address}: {@code nbd://host:port/name}, or {@code nbd+unix:///name?socket=path}; with {@code nbds} if TLS is required.
     * A server that listens on all addresses is named by the loopback address, which serves on the same machine only. Of a device that is not served too.
     */
    public String uri(String name) {
        return uri(address(), name);
    }

    /** As {@link #uri(String)}, at one of {@link #addresses}. */
    public String uri(NbdAddress address, String name) {
        String scheme = settings.tlsMode() == NbdTlsMode.REQUIRED ? "nbds" : "nbd";
        if (address instanceof NbdAddress.Unix unix) {
            return scheme + "+unix:///" + UriText.encode(name) + "?socket="
                    + UriText.encodePath(unix.path().toString());
        }
        HostPort hostPort = ((NbdAddress.Tcp) address).hostPort();
        return scheme + "://" + UriText.reachable(hostPort) + "/" + UriText.encode(name);
    }

    /** Stops listening, withdraws all devices as {@link #withdraw} does, and disconnects everybody else. Does nothing the second time. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        listeners.close();
        Collection<Export> ending = exports.all();
        ending.forEach(export -> exports.remove(export.name()));
        end(ending);
        List.copyOf(channels).forEach(channel -> channel.close().awaitUninterruptibly());
        if (ownsThreads) {
            threads.close();
        }
    }
}
