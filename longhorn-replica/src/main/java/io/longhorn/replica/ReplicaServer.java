package io.longhorn.replica;

import io.longhorn.HostPort;
import io.longhorn.InsecureListenException;
import io.longhorn.Tls;
import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.disk.ThreadDiskWorker;
import io.longhorn.replica.transport.Listener;
import io.longhorn.replica.transport.MovableConnection;
import io.longhorn.replica.transport.NioLoop;
import io.longhorn.replica.transport.NioTransport;
import io.longhorn.replica.transport.TlsEngines;
import io.longhorn.replica.transport.TransportLimits;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replica server in this process: keeps replicas on one or more disk directories and serves engines over TCP. Each disk has one thread, named
 * {@code longhorn-replica-<n>}, and a few more while it syncs.
 *
 * <p>Listens beyond loopback only with a token or TLS. Safe for any thread; {@link #close} waits until what is committed is on the disks.
 */
public final class ReplicaServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaServer.class);
    private static final long STOP_LIMIT_SECONDS = 30;

    private final Deque<Disk> disks = new ArrayDeque<>();
    private final boolean ownsLoops;
    private final @Nullable Listener listener;
    private final ReplicaHost host;
    private boolean closed;

    private record Disk(PathDirectory directory, NioLoop loop, ThreadDiskWorker worker, ReplicaDisk disk) {}

    private ReplicaServer(Builder builder) throws IOException {
        String bootId = bootId();
        ownsLoops = builder.sharedLoop == null;
        try {
            int number = 1;
            for (Path directory : builder.directories) {
                disks.add(openDisk(directory, number++, builder.settings, bootId, builder.sharedLoop));
            }
            host = new ReplicaHost(
                    UUID.randomUUID(),
                    bootId,
                    builder.token,
                    disks.stream().map(Disk::disk).toList(),
                    (connection, disk, handler) -> {
                        if (connection instanceof MovableConnection movable) {
                            movable.moveTo(loopOf(disk), handler);
                        } else {
                            connection.close();
                        }
                    });
            listener = builder.listen == null ? null : listen(builder.listen, builder.tls);
        } catch (IOException | RuntimeException e) {
            closeDisks();
            throw e;
        }
    }

    /** What a server is made of. */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects settings; {@link #start} checks them against each other. */
    public static final class Builder {
        private final List<Path> directories = new ArrayList<>();
        private @Nullable HostPort listen;
        private String token = "";
        private @Nullable Tls tls;
        private DiskSettings settings = DiskSettings.DEFAULTS;
        private @Nullable NioLoop sharedLoop;

        private Builder() {}

        /** Adds a disk: a directory that is empty or was one before. At least one. */
        public Builder directory(Path directory) {
            directories.add(directory);
            return this;
        }

        /** Where to listen; port 0 takes any free one. Without it the server is reached in process only. */
        public Builder listen(HostPort address) {
            listen = address;
            return this;
        }

        /** What engines must show. Without TLS needed to listen beyond loopback. */
        public Builder token(String secret) {
            token = secret;
            return this;
        }

        /** Encrypts, and takes only engines that show a certificate of the authority. With a token they need both. */
        public Builder tls(Tls files) {
            tls = files;
            return this;
        }

        /** How the disks work. */
        public Builder settings(DiskSettings diskSettings) {
            settings = diskSettings;
            return this;
        }

        /**
         * Runs all disks on a loop that the caller owns, for engines in the same process. The loop outlives the server. Callers may be interrupted, so it is one
         * {@linkplain NioLoop#onOwnThread on its own thread}.
         */
        public Builder loop(NioLoop loop) {
            sharedLoop = loop;
            return this;
        }

        /**
         * Opens the disks and listens.
         *
         * @throws InsecureListenException if it would listen beyond loopback without a token and without TLS
         * @throws IOException if a file of TLS or of a disk cannot be used; says which and why
         * @throws io.longhorn.DiskLockedException if a directory is in use
         */
        public ReplicaServer start() throws IOException {
            if (directories.isEmpty()) {
                throw new IllegalArgumentException("a replica server needs at least one directory");
            }
            HostPort address = listen;
            if (address != null
                    && token.isEmpty()
                    && tls == null
                    && !socketAddress(address).getAddress().isLoopbackAddress()) {
                throw new InsecureListenException(address.toString());
            }
            return new ReplicaServer(this);
        }
    }

    private static InetSocketAddress socketAddress(HostPort address) {
        InetSocketAddress resolved = new InetSocketAddress(address.host(), address.port());
        if (resolved.isUnresolved()) {
            throw new IllegalArgumentException("unknown host " + address.host());
        }
        return resolved;
    }

    private static Disk openDisk(Path path, int number, DiskSettings settings, String bootId, @Nullable NioLoop shared)
            throws IOException {
        PathDirectory directory = PathDirectory.open(path);
        NioLoop loop = shared != null ? shared : new NioLoop("longhorn-replica-" + number);
        ThreadDiskWorker worker = new ThreadDiskWorker(loop, String.valueOf(number));
        try {
            ReplicaDisk disk = onLoop(loop, () -> ReplicaDisk.open(directory, worker, loop, settings, bootId));
            return new Disk(directory, loop, worker, disk);
        } catch (IOException | RuntimeException e) {
            worker.close();
            if (shared == null) {
                loop.close();
            }
            directory.close();
            throw e;
        }
    }

    private interface Opening<T> {
        T open() throws IOException;
    }

    private static <T> T onLoop(NioLoop loop, Opening<T> work) throws IOException {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                result.complete(work.open());
            } catch (IOException | RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        try {
            return result.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            if (e.getCause() instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw e;
        }
    }

    private Listener listen(HostPort address, @Nullable Tls tls) throws IOException {
        Disk first = disks.getFirst();
        NioTransport transport = tls == null
                ? new NioTransport(TransportLimits.DEFAULTS)
                : new NioTransport(TransportLimits.DEFAULTS, TlsEngines.load(tls));
        return transport.listen(first.loop(), socketAddress(address), host);
    }

    private NioLoop loopOf(ReplicaDisk disk) {
        for (Disk each : disks) {
            if (each.disk() == disk) {
                return each.loop();
            }
        }
        throw new IllegalStateException("a disk of another server");
    }

    /** Where it listens. */
    public HostPort address() {
        Listener open = listener;
        if (open == null) {
            throw new IllegalStateException("this server does not listen");
        }
        InetSocketAddress address = open.localAddress();
        return new HostPort(address.getAddress().getHostAddress(), address.getPort());
    }

    /** For engines in the same process, on the loop given to {@link Builder#loop}. */
    public ReplicaHost host() {
        return host;
    }

    /** Identity of the host's present boot, empty where the system does not tell. */
    private static String bootId() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).trim();
        } catch (IOException e) {
            LOG.debug("no boot id: {}", e.toString());
            return "";
        }
    }

    /** Stops in order; idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (listener != null) {
            listener.close();
        }
        for (Disk disk : disks) {
            await(disk, disk.disk()::stop);
        }
        closeDisks();
    }

    private interface Ending {
        void begin(Runnable done);
    }

    /** Waits for what a disk does on its loop, though not for ever; an interrupt is kept for later, since half a stop is worse than a late one. */
    private static void await(Disk disk, Ending ending) {
        CountDownLatch over = new CountDownLatch(1);
        disk.loop().execute(() -> ending.begin(over::countDown));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_LIMIT_SECONDS);
        boolean interrupted = Thread.interrupted();
        boolean ended = false;
        while (!ended) {
            try {
                ended = true;
                if (!over.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    LOG.warn(
                            "disk did not stop in time, its next start recovers: disk={}",
                            disk.directory().describe());
                }
            } catch (InterruptedException e) {
                interrupted = true;
                ended = false;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeDisks() {
        while (!disks.isEmpty()) {
            Disk disk = disks.removeLast();
            await(disk, done -> {
                disk.disk().close();
                done.run();
            });
            disk.worker().close();
            if (ownsLoops) {
                disk.loop().close();
            }
            try {
                disk.directory().close();
            } catch (IOException e) {
                LOG.warn(
                        "directory could not be unlocked: disk={} cause={}",
                        disk.directory().describe(),
                        e.toString());
            }
        }
    }

    /** The loop that disks run on, for engines in the same process. */
    Loop loop() {
        return disks.getFirst().loop();
    }
}
