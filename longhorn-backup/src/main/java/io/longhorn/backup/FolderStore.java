package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Objects as files of a folder, which may be a mounted network file system. A file is written beside its place, forced, renamed, and its directory forced. What a writer left
 * that died is named {@code NAME.tmp.NUMBER} and is in no listing.
 */
public final class FolderStore implements ObjectStore {
    private final Path root;

    /** Creates nothing: folders are made when the first object is written. */
    public FolderStore(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    Path fileOf(String key) {
        return root.resolve(ObjectKey.check(key));
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        Path file = fileOf(key);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size > bytesMax) {
                throw new IOException(
                        file + " has " + size + " bytes, more than the " + bytesMax + " expected at most");
            }
            ByteBuffer content = ByteBuffer.allocate((int) size);
            while (content.hasRemaining() && channel.read(content) >= 0) {
                // As often as it takes.
            }
            return Optional.of(content.flip());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        return entryOf(fileOf(key), key);
    }

    private static Optional<Entry> entryOf(Path file, String key) throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return attributes.isRegularFile()
                    ? Optional.of(new Entry(
                            key,
                            attributes.size(),
                            attributes.lastModifiedTime().toInstant()))
                    : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        try (FolderWrites one = new FolderWrites(this)) {
            one.write(key, content);
            one.settle();
        }
    }

    @Override
    public WriteGroup group() {
        return new FolderWrites(this);
    }

    static Path parentOf(Path file) {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IllegalArgumentException(file + " has no parent");
        }
        return parent;
    }

    static void force(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        Set<Path> folders = new LinkedHashSet<>();
        for (String key : keys) {
            Path file = fileOf(key);
            if (Files.deleteIfExists(file)) {
                folders.add(parentOf(file));
            }
        }
        for (Path folder : folders) {
            force(folder);
        }
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        list(fileOf(folder), folder, sink);
    }

    private static void list(Path folder, String key, EntrySink sink) throws IOException {
        try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
            for (Path child : children) {
                String name = String.valueOf(child.getFileName());
                String childKey = key + "/" + name;
                if (Files.isDirectory(child)) {
                    list(child, childKey, sink);
                } else if (!ObjectKey.isTemporary(name)) {
                    Optional<Entry> entry = entryOf(child, childKey);
                    if (entry.isPresent()) {
                        sink.entry(entry.get());
                    }
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            // Deleted meanwhile, or never there.
            return;
        }
    }

    @Override
    public List<String> names(String folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> children = Files.newDirectoryStream(fileOf(folder))) {
            for (Path child : children) {
                String name = String.valueOf(child.getFileName());
                if (Files.isDirectory(child)) {
                    names.add(name + "/");
                } else if (!ObjectKey.isTemporary(name)) {
                    names.add(name);
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        }
        Collections.sort(names);
        return names;
    }

    @Override
    public String describe() {
        return root.toString();
    }

    @Override
    public void close() {
        // Nothing is kept open.
    }
}
