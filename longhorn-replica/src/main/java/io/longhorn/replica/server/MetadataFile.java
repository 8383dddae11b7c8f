package io.longhorn.replica.server;

import io.longhorn.DamagedFileException;
import io.longhorn.FileTooNewException;
import io.longhorn.FileTooOldException;
import io.longhorn.ForeignFileException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.DiskDirectory;
import io.longhorn.replica.DiskFile;
import io.longhorn.replica.wire.Checksum;
import java.io.IOException;
import java.nio.BufferOverflowException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;

/**
 * A small file that is always replaced whole: written beside, synced, renamed, directory synced. Every such file starts with the common header; see
 * {@code docs/format}, section 2. Little-endian.
 *
 * <pre>
 *  0     4       8             12               16
 *  | CRC | magic | format id   | format version | body length u32 | body ...
 * </pre>
 *
 * The CRC covers everything behind it.
 */
final class MetadataFile {
    /** "LHMF". */
    static final int MAGIC = 0x464D484C;

    static final int HEADER_BYTES = 20;
    private static final int BODY_BYTES_MAX = 16 << 20;

    /** What a file is; the ids are stable. */
    enum Format {
        DISK(1, "disk.meta"),
        RUN_MARK(2, "run mark"),
        REPLICA(3, "replica.meta");

        final int id;
        final String what;

        Format(int id, String what) {
            this.id = id;
            this.what = what;
        }
    }

    private MetadataFile() {}

    /** Fields of a body, written one after the other. */
    static final class Writer {
        private ByteBuffer b =
                ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN).position(HEADER_BYTES);

        private ByteBuffer room(int bytes) {
            if (b.remaining() < bytes) {
                int capacity = Math.max(b.capacity() * 2, b.position() + bytes);
                if (capacity > BODY_BYTES_MAX + HEADER_BYTES) {
                    throw new BufferOverflowException();
                }
                b = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN).put(b.flip());
            }
            return b;
        }

        Writer u8(int value) {
            room(1).put((byte) value);
            return this;
        }

        Writer i32(int value) {
            room(4).putInt(value);
            return this;
        }

        Writer i64(long value) {
            room(8).putLong(value);
            return this;
        }

        Writer uuid(UUID value) {
            return i64(value.getMostSignificantBits()).i64(value.getLeastSignificantBits());
        }

        Writer text(String value) {
            byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
            i32(utf8.length);
            room(utf8.length).put(utf8);
            return this;
        }

        private ByteBuffer sealed(Format format, int version) {
            int end = b.position();
            b.putInt(4, MAGIC).putInt(8, format.id).putInt(12, version).putInt(16, end - HEADER_BYTES);
            b.putInt(0, Checksum.of(b.clear(), 4, end - 4));
            return b.limit(end).position(0);
        }
    }

    /** Fields of a body, read one after the other. */
    static final class Reader {
        private final ByteBuffer b;
        private final Path path;

        private Reader(ByteBuffer b, Path path) {
            this.b = b;
            this.path = path;
        }

        int u8() {
            return b.get() & 0xff;
        }

        int i32() {
            return b.getInt();
        }

        long i64() {
            return b.getLong();
        }

        UUID uuid() {
            return new UUID(b.getLong(), b.getLong());
        }

        String text() {
            int length = count(1 << 16);
            byte[] utf8 = new byte[length];
            b.get(utf8);
            return new String(utf8, StandardCharsets.UTF_8);
        }

        int count(int most) {
            int count = b.getInt();
            if (count < 0 || count > most) {
                throw damaged("a count of " + count + ", expected 0 to " + most);
            }
            return count;
        }

        DamagedFileException damaged(String reason) {
            return new DamagedFileException(path, b.position(), reason);
        }
    }

    /** Reads a body. */
    interface Decoder<T> {
        T decode(Reader reader);
    }

    /** Replaces the file; durable on return. */
    static void write(DiskDirectory disk, String directory, String name, Format format, int version, Writer writer)
            throws IOException {
        String target = directory.isEmpty() ? name : directory + "/" + name;
        String beside = target + ".new";
        disk.delete(beside);
        try (DiskFile file = disk.open(beside, true)) {
            file.write(0, writer.sealed(format, version));
            file.sync();
        }
        disk.rename(beside, target);
        disk.syncDirectory(directory);
    }

    /**
     * Reads a file.
     *
     * @throws MissingFileException if there is none
     * @throws ForeignFileException if it is something else
     * @throws FileTooOldException if its version is below {@code oldest}
     * @throws FileTooNewException if its version is above {@code newest}
     * @throws DamagedFileException if its checksum or a field is wrong
     */
    static <T> T read(DiskDirectory disk, String name, Format format, int oldest, int newest, Decoder<T> decoder)
            throws IOException {
        Path path = Path.of(disk.describe(), name);
        if (!disk.exists(name)) {
            throw new MissingFileException(path);
        }
        ByteBuffer b;
        try (DiskFile file = disk.open(name, false)) {
            long size = file.sizeBytes();
            if (size < HEADER_BYTES) {
                throw new DamagedFileException(path, 0, size + " bytes, shorter than a header");
            }
            b = ByteBuffer.allocate((int) Math.min(size, BODY_BYTES_MAX + HEADER_BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
            file.read(0, b);
        }
        check(b, path, format, oldest, newest);
        b.limit(HEADER_BYTES + b.getInt(16)).position(HEADER_BYTES);
        Reader reader = new Reader(b, path);
        try {
            T decoded = decoder.decode(reader);
            if (b.hasRemaining()) {
                throw reader.damaged(b.remaining() + " bytes too many");
            }
            return decoded;
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            DamagedFileException damaged = reader.damaged("a field is wrong: " + e.getMessage());
            damaged.addSuppressed(e);
            throw damaged;
        }
    }

    private static void check(ByteBuffer b, Path path, Format format, int oldest, int newest) {
        if (b.getInt(4) != MAGIC) {
            throw new ForeignFileException(path, "Longhorn " + format.what);
        }
        int length = b.getInt(16);
        if (length < 0 || length > b.capacity() - HEADER_BYTES) {
            throw new DamagedFileException(
                    path, 16, "body length " + length + " in a file of " + b.capacity() + " bytes");
        }
        if (b.getInt(0) != Checksum.of(b.clear(), 4, HEADER_BYTES - 4 + length)) {
            throw new DamagedFileException(path, 0, "its checksum does not match");
        }
        if (b.getInt(8) != format.id) {
            throw new ForeignFileException(path, "Longhorn " + format.what);
        }
        int version = b.getInt(12);
        if (version < oldest) {
            throw new FileTooOldException(path, version, oldest);
        }
        if (version > newest) {
            throw new FileTooNewException(path, version, newest);
        }
    }
}
