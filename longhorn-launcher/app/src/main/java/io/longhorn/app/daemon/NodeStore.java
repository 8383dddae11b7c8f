package io.longhorn.app.daemon;

import io.longhorn.DiskLockedException;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.app.CommandFailure;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon keeps in its directory, which no other daemon uses meanwhile:
 *
 * <pre>
 * lock           held while a daemon runs
 * attachments    see {@link AttachmentFile}
 * volumes/       registry and replicas of volumes whose replicas are here, as {@code Longhorn.embedded} keeps them
 * registry/      the registry of volumes whose replicas are on replica servers
 * replicas/      the disk of the daemon's own replica server
 * reservations/  persistent reservations of iSCSI targets
 * devices/       what an earlier daemon left of devices of the kernel
 * </pre>
 */
final class NodeStore implements AutoCloseable {

    private static final String VOLUMES = "volumes";
    private static final String REGISTRY = "registry";

    private final Path directory;
    private final FileChannel lock;
    private final @Nullable ReplicaServer replicas;
    private final Longhorn longhorn;

    private NodeStore(Path directory, FileChannel lock, @Nullable ReplicaServer replicas, Longhorn longhorn) {
        this.directory = directory;
        this.lock = lock;
        this.replicas = replicas;
        this.longhorn = longhorn;
    }

    /** Takes the directory, starts the replica server if there shall be one, and opens the registry. */
    static NodeStore open(DaemonSettings settings) throws IOException {
        Path directory = settings.directory();
        Files.createDirectories(directory);
        FileChannel lock = lock(directory.resolve("lock"));
        ReplicaServer replicas = null;
        try {
            if (settings.replicaListen().isPresent()) {
                replicas = replicaServer(settings);
            }
            return new NodeStore(directory, lock, replicas, longhorn(settings));
        } catch (IOException | RuntimeException e) {
            if (replicas != null) {
                replicas.close();
            }
            lock.close();
            throw e;
        }
    }

    private static FileChannel lock(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock taken = channel.tryLock();
            if (taken != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Another daemon of this process has it, which is told as any other is.
            channel.close();
            throw new DiskLockedException(file.toAbsolutePath());
        }
        channel.close();
        throw new DiskLockedException(file.toAbsolutePath());
    }

    private static ReplicaServer replicaServer(DaemonSettings settings) throws IOException {
        Path disk = settings.directory().resolve("replicas");
        Files.createDirectories(disk);
        ReplicaServer.Builder builder = ReplicaServer.builder()
                .directory(disk)
                .listen(settings.replicaListen().orElseThrow());
        settings.replicaToken().ifPresent(builder::token);
        settings.replicaTls().ifPresent(builder::tls);
        return builder.start();
    }

    /** A volume's replicas are either here or on servers; a directory that was begun one way stays so, or its volumes would seem to be gone. */
    private static Longhorn longhorn(DaemonSettings settings) {
        Path here = settings.directory().resolve(VOLUMES);
        Path registry = settings.directory().resolve(REGISTRY);
        if (settings.replicaServers().isEmpty()) {
            if (Files.exists(registry)) {
                throw new CommandFailure("the replicas of the volumes of " + settings.directory()
                        + " are on replica servers: name them with --replica-server");
            }
            return Longhorn.embedded(here);
        }
        if (Files.exists(here)) {
            throw new CommandFailure("the replicas of the volumes of " + settings.directory()
                    + " are in that directory: start without --replica-server, or with another directory");
        }
        LonghornConfig.Builder config = LonghornConfig.builder().registry(registry);
        settings.replicaServers().forEach(server -> config.replicaServer(server.toString()));
        settings.replicaToken().ifPresent(config::token);
        settings.replicaTls().ifPresent(tls -> config.tls(tls.certificate(), tls.key(), tls.authority()));
        return Longhorn.connect(config.build());
    }

    Longhorn longhorn() {
        return longhorn;
    }

    AttachmentFile attachments() {
        return new AttachmentFile(directory.resolve("attachments"));
    }

    /** Empty if there is none. */
    Optional<ReplicaServer> replicaServer() {
        return Optional.ofNullable(replicas);
    }

    /** Engines first, then the replica server. */
    @Override
    public void close() throws IOException {
        try {
            longhorn.close();
        } finally {
            if (replicas != null) {
                replicas.close();
            }
            lock.close();
        }
    }
}
