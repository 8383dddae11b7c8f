package io.longhorn.replica;

import io.longhorn.DamagedFileException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.disk.FileHeader;
import io.longhorn.replica.disk.FileKind;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * {@code tail.parked}: records of a replica that no engine has committed yet, copied out of the journal so that its segments can be used again; see
 * {@code docs/format/replica.md}, section 5. To go on with them, append them to the journal again, make that durable, and delete the file.
 */
final class ParkedTail {
    static final String FILE = "tail.parked";

    /** Room for the longest record. */
    private static final int BUFFER_BYTES = 1 << 20;

    private ParkedTail() {}

    /** Gives the records one after another. */
    interface Source {
        /** Puts the next whole frame at the target's position and moves it behind; false at the end. The target has room for the longest record. */
        boolean next(ByteBuffer target) throws IOException;
    }

    /** Takes the records one after another. */
    interface Sink {
        /** The frame at {@code at}, its stamp cleared, checksums good; borrowed until return. */
        void record(ByteBuffer b, int at) throws IOException;
    }

    private static String name(String replicaDirectory) {
        return replicaDirectory + "/" + FILE;
    }

    static boolean exists(DiskDirectory directory, String replicaDirectory) throws IOException {
        return directory.exists(name(replicaDirectory));
    }

    /** Writes the file, in place of an earlier one, durably. Clears the frames' stamps. Any thread. */
    static void write(DiskDirectory directory, String replicaDirectory, UUID replicaId, Source source)
            throws IOException {
        MetadataFile.replaceRaw(directory, name(replicaDirectory), file -> {
            ByteBuffer b = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            CRC32C crc = new CRC32C();
            long length = 0;
            while (source.next(b.clear())) {
                b.flip();
                int end = b.limit();
                // Clearing the stamp seals the header again, which must not make a damaged one good.
                check(b, 0, MetadataFile.path(directory, name(replicaDirectory)), FileHeader.BYTES + length);
                RecordLayout.clearStamp(b, 0);
                crc.update(b);
                b.position(0).limit(end);
                file.write(FileHeader.BYTES + length, b);
                length += end;
            }
            b.clear().limit(FileHeader.BYTES);
            FileHeader.encode(b, 0, FileKind.PARKED_TAIL, replicaId, length, (int) crc.getValue());
            file.write(0, b);
        });
    }

    /** Reads and checks the whole file before the first record is given; for the conditions see {@link MetadataFile#read}. */
    static void read(DiskDirectory directory, String replicaDirectory, UUID replicaId, Sink sink) throws IOException {
        String name = name(replicaDirectory);
        Path path = MetadataFile.path(directory, name);
        if (!directory.exists(name)) {
            throw new MissingFileException(path);
        }
        try (DiskFile file = directory.open(name, false)) {
            ByteBuffer b = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            long end = checkWhole(file, b, replicaId, path);
            // Twice, so that nobody acts on the first records of a file whose last ones are damaged.
            records(file, b, end, path, (bytes, at) -> {});
            records(file, b, end, path, sink);
        }
    }

    /** Header, length and checksum; returns where the file ends. */
    private static long checkWhole(DiskFile file, ByteBuffer b, UUID replicaId, Path path) throws IOException {
        long size = file.sizeBytes();
        b.clear().limit(FileHeader.BYTES);
        MetadataFile.readChecked(file, 0, b, path);
        FileHeader.check(b, 0, size, FileKind.PARKED_TAIL, replicaId, path);
        long length = FileHeader.bodyLength(b, 0);
        int expected = FileHeader.bodyCrc(b, 0);
        if (length != size - FileHeader.BYTES) {
            throw new DamagedFileException(
                    path, size, "has " + (size - FileHeader.BYTES) + " bytes of records instead of " + length);
        }
        CRC32C crc = new CRC32C();
        for (long at = FileHeader.BYTES; at < size; at += BUFFER_BYTES) {
            b.clear().limit((int) Math.min(BUFFER_BYTES, size - at));
            MetadataFile.readChecked(file, at, b, path);
            crc.update(b.flip());
        }
        if ((int) crc.getValue() != expected) {
            throw new DamagedFileException(path, FileHeader.BYTES, "the records do not match their checksum");
        }
        return size;
    }

    private static void records(DiskFile file, ByteBuffer b, long end, Path path, Sink sink) throws IOException {
        long at = FileHeader.BYTES;
        while (at < end) {
            int length = (int) Math.min(FrameLayout.RECORD_BYTES_MAX, end - at);
            b.clear().limit(length);
            MetadataFile.readChecked(file, at, b, path);
            b.position(0);
            check(b, 0, path, at);
            int frame = FrameLayout.frameLength(b, 0);
            sink.record(b, 0);
            at += frame;
        }
    }

    private static void check(ByteBuffer b, int at, Path path, long position) {
        FrameFault fault = RecordLayout.checkJournaled(b, at, b.limit() - at);
        if (fault != FrameFault.NONE || !RecordLayout.payloadMatches(b, at)) {
            throw new DamagedFileException(path, position, "no valid record (" + fault + ")");
        }
    }

    /** Deletes the file, durably. No error if there is none. */
    static void delete(DiskDirectory directory, String replicaDirectory) throws IOException {
        directory.delete(name(replicaDirectory));
        directory.syncDirectory(replicaDirectory);
    }
}
