package io.longhorn.replica.disk;

import io.longhorn.DiskLockedException;
import io.longhorn.DiskReadOnlyException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A disk that is a directory of the file system. While it is open it holds an operating system lock on the file {@code lock} in it, so that one
 * process uses it at a time. Any thread may call it; interrupting a caller neither fails its call nor closes a file for the others, the
 * interruption stays pending.
 */
public final class PathDirectory implements DiskDirectory, AutoCloseable {
    /** The file that carries the lock. Not part of what callers see: on POSIX, opening and closing it again would give the lock up. */
    static final String LOCK_NAME = "lock";

    private final Path root;
    private final boolean writable;
    private final FileStore store;
    private final FileChannel lockChannel;
    /** So that a file that is renamed while open still knows where it is. */
    private final Set<PathFile> openFiles = ConcurrentHashMap.newKeySet();

    private PathDirectory(Path root, boolean writable, FileStore store, FileChannel lockChannel) {
        this.root = root;
        this.writable = writable;
        this.store = store;
        this.lockChannel = lockChannel;
    }

    /**
     * Makes the directory unless it exists, and locks it. The directory above must exist: where it does not, a file system is probably not mounted.
     *
     * @throws DiskLockedException if it is in use, by another process or in this one
     * @throws DiskReadOnlyException if it cannot be written to
     * @throws NoSuchFileException if the directory above does not exist
     */
    public static PathDirectory open(Path directory) throws IOException {
        make(directory);
        Path root = directory.toRealPath();
        FileChannel channel = openLock(root);
        try {
            if (!lock(channel, false)) {
                throw new DiskLockedException(root);
            }
            return new PathDirectory(root, true, Files.getFileStore(root), channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Makes the directory, durably, unless it exists.
     *
     * @throws DiskReadOnlyException if it cannot be made there
     * @throws NoSuchFileException if the directory above does not exist
     */
    public static void make(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        if (Files.exists(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        Path above = directory.toAbsolutePath().getParent();
        if (above == null || !Files.isDirectory(above)) {
            throw new NoSuchFileException(
                    directory.toString(),
                    null,
                    "the directory above it does not exist: make it, or mount what belongs there");
        }
        try {
            Files.createDirectory(directory);
        } catch (FileSystemException e) {
            throw cannotBeWritten(directory, above, e);
        }
        syncNames(above);
    }

    /**
     * Locks an existing directory against those who write, and makes nothing: it may be on a file system that cannot be written to.
     *
     * @throws DiskLockedException if it is in use
     * @throws NoSuchFileException if it does not exist, or is no disk's
     */
    public static PathDirectory openToRead(Path directory) throws IOException {
        Path root = directory.toRealPath();
        FileChannel channel = FileChannel.open(root.resolve(LOCK_NAME), StandardOpenOption.READ);
        try {
            if (!lock(channel, true)) {
                throw new DiskLockedException(root);
            }
            return new PathDirectory(root, false, Files.getFileStore(root), channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static FileChannel openLock(Path root) throws IOException {
        try {
            return FileChannel.open(root.resolve(LOCK_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw cannotBeWritten(root, root, e);
        }
    }

    /** What to throw when {@code directory} cannot be used because of {@code where}: says so if that may not be written to. */
    private static IOException cannotBeWritten(Path directory, Path where, FileSystemException cause)
            throws IOException {
        if (cause instanceof AccessDeniedException || Files.getFileStore(where).isReadOnly()) {
            DiskReadOnlyException readOnly = new DiskReadOnlyException(directory);
            readOnly.initCause(cause);
            throw readOnly;
        }
        return cause;
    }

    private static boolean lock(FileChannel channel, boolean shared) throws IOException {
        try {
            FileLock lock = channel.tryLock(0, Long.MAX_VALUE, shared);
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** Gives up the lock. Files that are still open stay so; whoever opened them closes them first. */
    @Override
    public void close() throws IOException {
        lockChannel.close();
    }

    @Override
    public List<String> list(String directory) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(resolve(directory))) {
            entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
            if (directory.isEmpty()) {
                names.remove(LOCK_NAME);
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        }
        Collections.sort(names);
        return names;
    }

    @Override
    public boolean exists(String name) throws IOException {
        return Files.exists(resolve(name));
    }

    @Override
    public void createDirectories(String directory) throws IOException {
        Files.createDirectories(resolve(directory));
    }

    @Override
    public DiskFile open(String name, boolean create) throws IOException {
        PathFile file = create
                ? PathFile.create(resolve(name), openFiles::remove)
                : PathFile.open(resolve(name), writable, openFiles::remove);
        openFiles.add(file);
        return file;
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Path source = resolve(from);
        Path target = resolve(to);
        Files.move(source, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        for (PathFile file : openFiles) {
            file.renamed(source, target);
        }
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(resolve(name));
    }

    @Override
    public void syncDirectory(String directory) throws IOException {
        syncNames(resolve(directory));
    }

    private static void syncNames(Path directory) throws IOException {
        if (System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows")) {
            // Windows opens no directory; its file system journals names by itself.
            return;
        }
        DiskThread.call(() -> {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        });
    }

    @Override
    public long usableBytes() throws IOException {
        return store.getUsableSpace();
    }

    @Override
    public String describe() {
        return root.toString();
    }

    private Path resolve(String name) {
        if (name.equals(LOCK_NAME)) {
            throw new IllegalArgumentException("\"" + name + "\" is the disk's own lock");
        }
        for (String part : name.split("/", -1)) {
            if (part.equals("..") || part.equals(".") || (part.isEmpty() && !name.isEmpty())) {
                throw new IllegalArgumentException("\"" + name + "\" is no relative name with / between its parts");
            }
        }
        Path path = root.resolve(name);
        if (!path.startsWith(root)) {
            throw new IllegalArgumentException("\"" + name + "\" leaves the disk");
        }
        return path;
    }
}
