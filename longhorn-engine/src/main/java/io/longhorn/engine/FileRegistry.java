package io.longhorn.engine;

import io.longhorn.DamagedFileException;
import io.longhorn.LonghornException;
import io.longhorn.RegistryUnavailableException;
import io.longhorn.replica.disk.PathDirectory;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * The registry in a directory, for several processes of one host (or of several, where the file system's exclusive creation and locks hold between them). Each change of a
 * volume's record is the file {@code record.n} with the next number: whoever creates it first has made the change. It is written beside, forced, and
 * linked to its name, so that it appears whole or not at all; the directory is forced before anybody is told. Numbers go on when a volume is removed and its
 * name used again, so that a process that slept meanwhile finds its place taken. See {@code docs/format/registry.md}.
 *
 * <p>Safe for any thread. Works on one thread of its own, which ends when it is idle.
 */
final class FileRegistry implements Registry {
    private static final Logger LOG = LoggerFactory.getLogger(FileRegistry.class);
    /** For what was asked for before closing: on a local disk it is done at once. */
    private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final String CLUSTER = "cluster";
    private static final String VOLUMES = "volumes";
    private static final String ENGINES = "engines";
    private static final String RECORD = "record.";
    private static final byte[] REMOVAL = "removed\n".getBytes(StandardCharsets.UTF_8);
    /** The newest and older ones: as long as no more changes than this went by, a free number was never taken. */
    static final int FILES_KEPT = 32;
    /** Announcements held by this process: the operating system's locks do not tell threads of one process apart. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final HostIdentity host;
    private final UUID clusterId;
    private final ThreadPoolExecutor executor;
    /** The newest number of each volume's folder that this process knows to be durable: forcing a directory waits for whatever else its file system writes. One thread. */
    private final Map<Path, Long> durableNumbers = new HashMap<>();

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
            PathDirectory.make(directory);
            PathDirectory.make(directory.resolve(VOLUMES));
            PathDirectory.make(directory.resolve(ENGINES));
            Path cluster = directory.resolve(CLUSTER);
            if (!Files.exists(cluster)) {
                createWhole(cluster, (UUID.randomUUID() + "\n").getBytes(StandardCharsets.UTF_8));
            }
            // One spelling of each path: whether this process holds a lock must not depend on it.
            return new FileRegistry(directory.toRealPath(), host, readCluster(cluster));
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

    /** Makes that change and notes that it is durable; see {@link #changed}. */
    private boolean change(Path folder, long number, byte[] content) throws IOException {
        boolean made = changed(folder, number, content);
        if (made) {
            durableNumbers.put(folder, number);
        }
        return made;
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

    /** The newest file of a volume: its number, 0 if there never was one, and the record unless it says that the volume was removed. */
    private record Newest(long number, Optional<VolumeRecord> record) {
        long version() {
            return record.map(VolumeRecord::version).orElse(0L);
        }
    }

    @Override
    public CompletionStage<Optional<VolumeRecord>> read(String volumeName) {
        return run(() -> newest(volume(volumeName)).record());
    }

    private Newest newest(Path folder) throws IOException {
        while (true) {
            List<Long> numbers = numbers(folder);
            if (numbers.isEmpty()) {
                return new Newest(0, Optional.empty());
            }
            long number = numbers.get(numbers.size() - 1);
            Path file = folder.resolve(RECORD + number);
            try {
                // Whoever created it may have died before it was durable; what is told to others must be.
                if (durableNumbers.getOrDefault(folder, 0L) != number) {
                    force(folder);
                    durableNumbers.put(folder, number);
                }
                byte[] bytes = Files.readAllBytes(file);
                return new Newest(
                        number,
                        Arrays.equals(bytes, REMOVAL)
                                ? Optional.empty()
                                : Optional.of(VolumeRecordText.decode(bytes, file)));
            } catch (NoSuchFileException e) {
                LOG.debug("record was replaced while it was read: {}", file);
            }
        }
    }

    private static List<Long> numbers(Path folder) throws IOException {
        List<Long> numbers = new ArrayList<>();
        if (!Files.isDirectory(folder)) {
            return numbers;
        }
        try (Stream<Path> files = Files.list(folder)) {
            files.map(f -> String.valueOf(f.getFileName()))
                    .filter(n -> n.matches("record\\.\\d{1,18}"))
                    .forEach(n -> numbers.add(Long.parseLong(n.substring(RECORD.length()))));
        }
        numbers.sort(Comparator.naturalOrder());
        return numbers;
    }

    @Override
    public CompletionStage<List<String>> list() {
        return run(() -> {
            List<String> names = new ArrayList<>();
            try (Stream<Path> folders = Files.list(directory.resolve(VOLUMES))) {
                for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
                    if (exists(folder)) {
                        names.add(String.valueOf(folder.getFileName()));
                    }
                }
            }
            return List.copyOf(names);
        });
    }

    /** A volume whose record cannot be read is there all the same. */
    private boolean exists(Path folder) throws IOException {
        try {
            return newest(folder).record().isPresent();
        } catch (LonghornException e) {
            LOG.warn("a volume's record cannot be read", e);
            return true;
        }
    }

    @Override
    public CompletionStage<Swap> compareAndSet(VolumeRecord next) {
        return run(() -> {
            Path folder = volume(next.name());
            Newest present = newest(folder);
            if (present.version() != next.version() - 1) {
                return new Swap(false, present.record());
            }
            if (present.number() == 0) {
                Files.createDirectories(folder);
                force(parentOf(folder));
            }
            return change(folder, present.number() + 1, VolumeRecordText.encode(next))
                    ? new Swap(true, Optional.of(next))
                    : new Swap(false, newest(folder).record());
        });
    }

    @Override
    public CompletionStage<Swap> remove(String volumeName, long expectedVersion) {
        return run(() -> {
            Path folder = volume(volumeName);
            Newest present = newest(folder);
            if (present.record().isEmpty() || present.version() != expectedVersion) {
                return new Swap(false, present.record());
            }
            return change(folder, present.number() + 1, REMOVAL)
                    ? new Swap(true, Optional.empty())
                    : new Swap(false, newest(folder).record());
        });
    }

    /**
     * Creates the file with that number; false if somebody else has made another change meanwhile.
     *
     * @throws IOException if so many others were made meanwhile that nobody can tell: the number may have been free because its file was tidied away
     */
    static boolean changed(Path folder, long number, byte[] content) throws IOException {
        if (!createWhole(folder.resolve(RECORD + number), content)) {
            return false;
        }
        List<Long> numbers = numbers(folder);
        long newest = numbers.get(numbers.size() - 1);
        if (newest - number >= FILES_KEPT) {
            throw new IOException("while change " + number + " of " + folder + " was made, others went on to " + newest
                    + ": whether it counts is not known");
        }
        for (long old : numbers) {
            if (old <= number - FILES_KEPT) {
                Files.deleteIfExists(folder.resolve(RECORD + old));
            }
        }
        return true;
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
        boolean interrupted = false;
        long end = System.nanoTime() + CLOSE_NANOS;
        boolean waiting = true;
        while (waiting) {
            try {
                if (!executor.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    LOG.warn("the registry's directory does not answer, and is left alone: {}", directory);
                }
                waiting = false;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
