package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that get their names once they are durable. All are written, beside their places, before the first is forced: the file system then commits what they have in common once,
 * and the disk is never idle in between. Then all are renamed, and each folder concerned is forced once.
 */
final class FolderWrites implements WriteGroup {
    private static final Logger LOG = LoggerFactory.getLogger(FolderWrites.class);

    /** A file that is written and has not its name yet. */
    private record Unnamed(Path beside, Path file, FileChannel channel) {}

    private final FolderStore store;
    private final Deque<Unnamed> unnamed = new ArrayDeque<>();
    private final Set<Path> touched = new LinkedHashSet<>();

    FolderWrites(FolderStore store) {
        this.store = store;
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        Path file = store.fileOf(key);
        Path folder = FolderStore.parentOf(file);
        makeFolders(folder);
        Path beside = folder.resolve(ObjectKey.temporary(String.valueOf(file.getFileName())));
        FileChannel channel = FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        unnamed.add(new Unnamed(beside, file, channel));
        touched.add(folder);
        ByteBuffer left = content.duplicate();
        while (left.hasRemaining()) {
            channel.write(left);
        }
    }

    /** Makes what is missing of a folder. Others may make the same ones meanwhile. */
    private void makeFolders(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        Path above = folder.getParent();
        if (above != null) {
            makeFolders(above);
            touched.add(above);
        }
        try {
            Files.createDirectory(folder);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
    }

    @Override
    public void settle() throws IOException {
        for (Unnamed each : unnamed) {
            each.channel().force(true);
        }
        while (!unnamed.isEmpty()) {
            Unnamed each = unnamed.getFirst();
            each.channel().close();
            Files.move(each.beside(), each.file(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            unnamed.removeFirst();
        }
        List<Path> folders = new ArrayList<>(touched);
        touched.clear();
        for (Path folder : folders) {
            FolderStore.force(folder);
        }
    }

    /** What cannot be deleted is in no listing. */
    @Override
    public void close() {
        for (Unnamed each : unnamed) {
            try {
                each.channel().close();
                Files.deleteIfExists(each.beside());
            } catch (IOException e) {
                LOG.warn("a file that was begun is left behind: {}", each.beside(), e);
            }
        }
        unnamed.clear();
    }
}
