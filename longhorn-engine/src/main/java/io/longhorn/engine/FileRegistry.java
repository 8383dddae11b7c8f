package io.longhorn.engine;

import io.longhorn.DamagedFileException;
import io.longhorn.RegistryUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry in a directory, for several processes of one host (or of several, where the file system's exclusive creation and locks hold between them). A
 * record's version {@code n} is the file {@code record.n}: whoever creates it first has changed the record. It is written beside, forced, and
 * linked to its name, so that it appears whole or not at all; the directory is forced before anybody is told. See
 * {@code docs/format/registry.md}.
 *
 * <p>Safe for any thread. Works on one thread of its own, which ends when it is idle.
 */
final class FileRegistry implements Registry {
    private static final Logger LOG = LoggerFactory.getLogger(FileRegistry.class);
    private static final String CLUSTER = "cluster";
    private static final String VOLUMES = "volumes";
    private static final String ENGINES = "engines";
    private static final String RECORD = "record.";
    private static final String REMOVED = "removed";
    private static final byte[] REMOVAL = "removed\n".getBytes(StandardCharsets.UTF_8);
    /** Older versions kept beside the newest, for people who look. */
    private static final int VERSIONS_KEPT = 3;
    /** Announcements held by this process: the operating system's locks do not tell threads of one process apart. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final HostIdentity host;
    private final UUID clusterId;
    private final ThreadPoolExecutor executor;

    private FileRegistry(Path directory, HostIdentity host, UUID clusterId) {
        this.directory = directory;
        this.host = host;
        this.clusterId = clusterId;
        this.executor = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "longhorn-registry");
            thread.setDaemon(true);
            return thread;
        });
        executor.allowCoreThreadTimeOut(true);
    }

    /** Opens the registry in that directory, and makes it if the directory is empty or missing. */
    static FileRegistry open(Path directory, HostIdentity host) {
        try {
            Files.createDirectories(directory.resolve(VOLUMES));
            Files.createDirectories(directory.resolve(ENGINES));
            Path cluster = directory.resolve(CLUSTER);
            if (!Files.exists(cluster)) {
                createWhole(cluster, (UUID.randomUUID() + "\n").getBytes(StandardCharsets.UTF_8));
            }
            return new FileRegistry(directory, host, readCluster(cluster));
        } catch (IOException e) {
            throw new RegistryUnavailableException(directory.toString(), String.valueOf(e), e);
        }
    }

    private static UUID readCluster(Path file) throws IOException {
        String text = Files.readString(file).trim();
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            DamagedFileException damaged =
                    new DamagedFileException(file, 0, "expected the cluster's id, a UUID, found '" + text + "'");
            damaged.addSuppressed(e);
            throw damaged;
        }
    }

    /** Creates the file with that content, durably; false if somebody else has created it. */
    private static boolean createWhole(Path file, byte[] content) throws IOException {
        Path parent = parentOf(file);
        Path beside = parent.resolve("new." + UUID.randomUUID());
        try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        try {
            Files.createLink(file, beside);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } finally {
            Files.delete(beside);
            force(parent);
        }
    }

    private static Path parentOf(Path file) {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IllegalArgumentException("no directory above " + file);
        }
        return parent;
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private <T> CompletionStage<T> run(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        executor.execute(() -> {
            try {
                result.complete(work.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    // ------------------------------------------------------------------ records

    @Override
    public UUID clusterId() {
        return clusterId;
    }

    private Path volume(String name) {
        return directory.resolve(VOLUMES).resolve(name);
    }

    @Override
    public CompletionStage<Optional<VolumeRecord>> read(String volumeName) {
        return run(() -> newest(volumeName));
    }

    private Optional<VolumeRecord> newest(String volumeName) throws IOException {
        Path folder = volume(volumeName);
        while (true) {
            if (Files.exists(folder.resolve(REMOVED))) {
                return Optional.empty();
            }
            List<Long> versions = versions(folder);
            if (versions.isEmpty()) {
                return Optional.empty();
            }
            Path file = folder.resolve(RECORD + versions.get(versions.size() - 1));
            try {
                // Whoever created it may have died before it was durable; what is told to others must be.
                force(folder);
                byte[] bytes = Files.readAllBytes(file);
                return Arrays.equals(bytes, REMOVAL)
                        ? Optional.empty()
                        : Optional.of(VolumeRecordText.decode(bytes, file));
            } catch (NoSuchFileException e) {
                LOG.debug("record was replaced while it was read: {}", file);
            }
        }
    }

    private static List<Long> versions(Path folder) throws IOException {
        List<Long> versions = new ArrayList<>();
        if (!Files.isDirectory(folder)) {
            return versions;
        }
        try (Stream<Path> files = Files.list(folder)) {
            files.map(f -> String.valueOf(f.getFileName()))
                    .filter(n -> n.matches("record\\.\\d{1,18}"))
                    .forEach(n -> versions.add(Long.parseLong(n.substring(RECORD.length()))));
        }
        versions.sort(Comparator.naturalOrder());
        return versions;
    }

    @Override
    public CompletionStage<List<String>> list() {
        return run(() -> {
            List<String> names = new ArrayList<>();
            try (Stream<Path> folders = Files.list(directory.resolve(VOLUMES))) {
                for (Path folder : folders.sorted().toList()) {
                    if (!versions(folder).isEmpty() && !Files.exists(folder.resolve(REMOVED))) {
                        names.add(String.valueOf(folder.getFileName()));
                    }
                }
            }
            return List.copyOf(names);
        });
    }

    @Override
    public CompletionStage<Swap> compareAndSet(VolumeRecord next) {
        return run(() -> {
            Optional<VolumeRecord> present = newest(next.name());
            long version = present.map(VolumeRecord::version).orElse(0L);
            if (version != next.version() - 1) {
                return new Swap(false, present);
            }
            Path folder = volume(next.name());
            if (present.isEmpty()) {
                startFolder(folder);
            }
            if (!createWhole(folder.resolve(RECORD + next.version()), VolumeRecordText.encode(next))) {
                return new Swap(false, newest(next.name()));
            }
            List<Long> versions = versions(folder);
            if (versions.get(versions.size() - 1) != next.version()) {
                // While we wrote, others went on so far that our place had been tidied away: it was not ours to take.
                Files.deleteIfExists(folder.resolve(RECORD + next.version()));
                return new Swap(false, newest(next.name()));
            }
            removeOld(folder, next.version() - VERSIONS_KEPT);
            return new Swap(true, Optional.of(next));
        });
    }

    private static void startFolder(Path folder) throws IOException {
        if (!versions(folder).isEmpty()) {
            for (long version : versions(folder)) {
                Files.deleteIfExists(folder.resolve(RECORD + version));
            }
            Files.deleteIfExists(folder.resolve(REMOVED));
        }
        Files.createDirectories(folder);
        force(parentOf(folder));
    }

    private static void removeOld(Path folder, long upTo) throws IOException {
        for (long version : versions(folder)) {
            if (version <= upTo) {
                Files.deleteIfExists(folder.resolve(RECORD + version));
            }
        }
    }

    @Override
    public CompletionStage<Swap> remove(String volumeName, long expectedVersion) {
        return run(() -> {
            Optional<VolumeRecord> present = newest(volumeName);
            if (present.isEmpty() || present.get().version() != expectedVersion) {
                return new Swap(false, present);
            }
            // Takes the next version's place, so that no engine can have it.
            Path folder = volume(volumeName);
            Path next = folder.resolve(RECORD + (expectedVersion + 1));
            if (!createWhole(next, REMOVAL)) {
                return new Swap(false, newest(volumeName));
            }
            createWhole(folder.resolve(REMOVED), REMOVAL);
            return new Swap(true, Optional.empty());
        });
    }

    // ------------------------------------------------------------------ life and death

    private Path engine(UUID engineId) {
        return directory.resolve(ENGINES).resolve(engineId + ".lock");
    }

    @Override
    public CompletionStage<Liveness> announce(UUID engineId) {
        return run(() -> {
            Path file = engine(engineId);
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                FileLock lock = channel.tryLock();
                if (lock == null) {
                    throw new IOException("engine " + engineId + " is announced already");
                }
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
            HELD.add(file);
            return () -> run(() -> {
                HELD.remove(file);
                Files.deleteIfExists(file);
                channel.close();
                return true;
            });
        });
    }

    @Override
    public CompletionStage<Boolean> provedDead(LeaseHolder holder) {
        return run(() -> {
            if (!holder.hostId().equals(host.hostId())) {
                return false;
            }
            boolean otherBoot = !holder.bootId().isEmpty()
                    && !host.bootId().isEmpty()
                    && !holder.bootId().equals(host.bootId());
            return otherBoot || isUnlocked(engine(holder.engineId()));
        });
    }

    private static boolean isUnlocked(Path file) throws IOException {
        if (HELD.contains(file)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (NoSuchFileException e) {
            // Its owner removes it only after its last read and write.
            return true;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    @Override
    public String hostId() {
        return host.hostId();
    }

    @Override
    public String bootId() {
        return host.bootId();
    }

    /** Ends after what was asked for. */
    @Override
    public void close() {
        executor.shutdown();
    }
}
