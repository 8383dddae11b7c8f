package io.longhorn.replica.disk;

import io.longhorn.DamagedFileException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.wire.Checksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A small file that is read and replaced as a whole; see {@code docs/format/disk.md}, section 3. Any thread, one replacement of a name at a time.
 *
 * @param version of its format
 * @param owner disk or replica
 * @param body little-endian, from position 0
 */
public record MetadataFile(int version, UUID owner, ByteBuffer body) {
    /** What a replacement is called until it takes its place. */
    public static final String LEFTOVER_SUFFIX = ".new";
    /** More than any metadata file needs; bounds what a reader allocates. */
    static final int BODY_BYTES_MAX = 16 << 20;

    /**
     * Reads and checks the file.
     *
     * @param owner who it must belong to; null if the file says who
     * @throws MissingFileException if there is none; for the other conditions see {@link FileHeader#check}
     */
    public static MetadataFile read(DiskDirectory directory, String name, FileKind kind, @Nullable UUID owner)
            throws IOException {
        Path path = path(directory, name);
        if (!directory.exists(name)) {
            throw new MissingFileException(path);
        }
        try (DiskFile file = directory.open(name, false)) {
            long size = file.sizeBytes();
            int length = (int) Math.min(size, FileHeader.BYTES + BODY_BYTES_MAX);
            ByteBuffer b =
                    ByteBuffer.allocate(Math.max(length, FileHeader.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
            readChecked(file, 0, b, path);
            FileHeader.check(b, 0, size, kind, owner, path);
            return checkBody(b, size, path);
        }
    }

    /** Fills {@code target}; what the disk cannot read is damage, like what it reads wrongly. */
    public static void readChecked(DiskFile file, long position, ByteBuffer target, Path path) {
        try {
            file.read(position, target);
        } catch (IOException e) {
            DamagedFileException damaged = new DamagedFileException(path, position, "cannot be read: " + e);
            damaged.initCause(e);
            throw damaged;
        }
    }

    private static MetadataFile checkBody(ByteBuffer b, long size, Path path) {
        long length = FileHeader.bodyLength(b, 0);
        if (length != size - FileHeader.BYTES || length > BODY_BYTES_MAX) {
            throw new DamagedFileException(
                    path, size, "has " + (size - FileHeader.BYTES) + " bytes behind its header instead of " + length);
        }
        if (Checksum.of(b, FileHeader.BYTES, (int) length) != FileHeader.bodyCrc(b, 0)) {
            throw new DamagedFileException(path, FileHeader.BYTES, "the body does not match its checksum");
        }
        ByteBuffer body = b.slice(FileHeader.BYTES, (int) length).order(ByteOrder.LITTLE_ENDIAN);
        return new MetadataFile(FileHeader.version(b, 0), FileHeader.owner(b, 0), body);
    }

    /**
     * Replaces the file by header and {@code body} (position to limit, left as it was): writes beside it, syncs, renames, syncs the directory. On stable
     * storage when this returns. After an exception the file is the old one or the new one, whole either way.
     */
    public static void replace(DiskDirectory directory, String name, FileKind kind, UUID owner, ByteBuffer body)
            throws IOException {
        int length = body.remaining();
        if (length > BODY_BYTES_MAX) {
            throw new IllegalArgumentException(
                    name + " would have " + length + " bytes, expected at most " + BODY_BYTES_MAX);
        }
        ByteBuffer b = ByteBuffer.allocate(FileHeader.BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
        b.put(FileHeader.BYTES, body, body.position(), length);
        FileHeader.encode(b, 0, kind, owner, length, Checksum.of(b, FileHeader.BYTES, length));
        replaceRaw(directory, name, file -> file.write(0, b));
    }

    /** {@link #replace} for content that {@code writer} writes from position 0, header included. */
    public static void replaceRaw(DiskDirectory directory, String name, Writer writer) throws IOException {
        String beside = name + LEFTOVER_SUFFIX;
        directory.delete(beside);
        try (DiskFile file = directory.open(beside, true)) {
            writer.write(file);
            file.sync();
        }
        directory.rename(beside, name);
        directory.syncDirectory(parent(name));
    }

    /** Deletes what a crash between writing and renaming left in {@code directoryName}. Before anything in it is used. */
    public static void removeLeftovers(DiskDirectory directory, String directoryName) throws IOException {
        for (String name : directory.list(directoryName)) {
            if (name.endsWith(LEFTOVER_SUFFIX)) {
                directory.delete(directoryName.isEmpty() ? name : directoryName + "/" + name);
            }
        }
    }

    /** Where the file is, for messages. */
    public static Path path(DiskDirectory directory, String name) {
        return Path.of(directory.describe(), name);
    }

    /** The directory part of a name; empty for the root. */
    static String parent(String name) {
        int slash = name.lastIndexOf('/');
        return slash < 0 ? "" : name.substring(0, slash);
    }

    /** Fills a new file. */
    public interface Writer {
        void write(DiskFile file) throws IOException;
    }
}
