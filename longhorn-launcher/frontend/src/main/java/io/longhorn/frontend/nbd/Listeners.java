package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sockets on which a server listens. */
final class Listeners {

    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private record Listener(NbdAddress address, Channel channel) {}

    private final List<Listener> listeners = new ArrayList<>();

    /** Listens there too; all settings but the kind of socket stand in {@code bootstrap}. */
    void add(ServerBootstrap bootstrap, NbdAddress address) {
        if (address instanceof NbdAddress.Tcp tcp) {
            Channel channel = bind(
                    bootstrap
                            .channel(NioServerSocketChannel.class)
                            .bind(tcp.hostPort().host(), tcp.hostPort().port()),
                    address);
            InetSocketAddress real = (InetSocketAddress) channel.localAddress();
            HostPort hostPort = new HostPort(tcp.hostPort().host(), real.getPort());
            listeners.add(new Listener(new NbdAddress.Tcp(hostPort), channel));
        } else if (address instanceof NbdAddress.Unix unix) {
            removeStale(unix);
            Channel channel = bind(
                    bootstrap.channel(NioServerDomainSocketChannel.class).bind(UnixDomainSocketAddress.of(unix.path())),
                    address);
            listeners.add(new Listener(address, channel));
        }
    }

    List<NbdAddress> addresses() {
        return listeners.stream().map(Listener::address).toList();
    }

    /** Nobody can connect any more; removes the files of sockets. */
    void close() {
        for (Listener listener : listeners) {
            listener.channel().close().awaitUninterruptibly();
            if (listener.address() instanceof NbdAddress.Unix unix) {
                remove(unix.path());
            }
        }
        listeners.clear();
    }

    private static Channel bind(ChannelFuture future, NbdAddress address) {
        future.awaitUninterruptibly();
        Throwable cause = future.cause();
        if (cause != null) {
            throw new ListenFailedException(address.toString(), cause);
        }
        return future.channel();
    }

    /** A socket's file outlives its process. If nobody answers there, nobody will. */
    private static void removeStale(NbdAddress.Unix unix) {
        Path path = unix.path();
        try {
            BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!file.isOther()) {
                throw new ListenFailedException(unix.toString(), "a file that is no socket is in the way");
            }
            if (isAnswered(path)) {
                throw new ListenFailedException(unix.toString(), "somebody listens there already");
            }
            LOG.info("the socket of a process that is gone is replaced: path={}", path);
            Files.delete(path);
        } catch (NoSuchFileException e) {
            LOG.debug("no socket is in the way: path={}", path);
        } catch (IOException e) {
            throw new ListenFailedException(unix.toString(), e);
        }
    }

    private static boolean isAnswered(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return probe.connect(UnixDomainSocketAddress.of(path));
        } catch (SocketException e) {
            return false;
        }
    }

    private static void remove(Path socket) {
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.warn("a socket's file is left behind: path={}", socket, e);
        }
    }
}
