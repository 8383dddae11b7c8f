package io.longhorn.replica.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.longhorn.DamagedFileException;
import io.longhorn.FileTooNewException;
import io.longhorn.FileTooOldException;
import io.longhorn.ForeignFileException;
import io.longhorn.MissingFileException;
import io.longhorn.ReplicaException;
import io.longhorn.replica.wire.Checksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What every reader of a file with the common header must refuse, each by its own error. */
public final class DamageList {

    /** Reads the file under test and throws if it is refused. */
    public interface Reader {
        void read() throws IOException;
    }

    private final MemoryDisk disk;
    private final String name;
    private final byte[] good;
    private final Reader reader;

    public DamageList(MemoryDisk disk, String name, Reader reader) {
        this.disk = disk;
        this.name = name;
        this.good = disk.bytes(name);
        this.reader = reader;
    }

    public void check() throws IOException {
        reader.read();
        disk.delete(name);
        assertRefused(MissingFileException.class, "absent");
        for (int length = 0; length < good.length; length++) {
            refuse(DamagedFileException.class, "cut to " + length, Arrays.copyOf(good, length));
        }
        refuse(DamagedFileException.class, "a byte too long", Arrays.copyOf(good, good.length + 1));
        for (int at = 0; at < good.length; at++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] flipped = good.clone();
                flipped[at] ^= (byte) (1 << bit);
                Class<? extends ReplicaException> expected =
                        at < FileHeader.FORMAT_OFFSET ? ForeignFileException.class : DamagedFileException.class;
                refuse(expected, "bit " + bit + " of byte " + at, flipped);
            }
        }
        refuse(
                ForeignFileException.class,
                "text",
                "#!/bin/sh\n".repeat(50).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        refuse(ForeignFileException.class, "zeroes", new byte[good.length]);
        refuse(
                ForeignFileException.class,
                "another kind",
                changed(b -> b.putInt(FileHeader.FORMAT_OFFSET, 0x58585858)));
        refuse(FileTooOldException.class, "older", changed(b -> b.putShort(FileHeader.VERSION_OFFSET, (short) 0)));
        refuse(FileTooNewException.class, "newer", changed(b -> b.putShort(FileHeader.VERSION_OFFSET, (short) 2)));
        refuse(DamagedFileException.class, "encrypted", changed(b -> b.putLong(FileHeader.KEY_ID_OFFSET, 1)));
        refuse(DamagedFileException.class, "flagged", changed(b -> b.putInt(FileHeader.FLAGS_OFFSET, 1)));
        disk.put(name, good);
        reader.read();
    }

    /** For files that belong to a disk or replica known beforehand. */
    public void checkOwner() {
        refuse(ForeignFileException.class, "another's", changed(b -> b.putLong(FileHeader.OWNER_OFFSET, 99)));
        disk.put(name, good);
    }

    /** The file with another body, sealed properly; what the body's own checks must refuse. */
    public void refuseBody(String what, byte[] body) {
        ByteBuffer b = ByteBuffer.allocate(FileHeader.BYTES + body.length).order(ByteOrder.LITTLE_ENDIAN);
        b.put(0, good, 0, FileHeader.BYTES).put(FileHeader.BYTES, body);
        b.putLong(FileHeader.BODY_LENGTH_OFFSET, body.length);
        b.putInt(FileHeader.BODY_CRC_OFFSET, Checksum.of(b, FileHeader.BYTES, body.length));
        b.putInt(FileHeader.HEADER_CRC_OFFSET, Checksum.of(b, 0, FileHeader.HEADER_CRC_OFFSET));
        refuse(DamagedFileException.class, what, b.array());
        disk.put(name, good);
    }

    public byte[] body() {
        return Arrays.copyOfRange(good, FileHeader.BYTES, good.length);
    }

    private byte[] changed(java.util.function.Consumer<ByteBuffer> change) {
        ByteBuffer b = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
        change.accept(b);
        b.putInt(FileHeader.HEADER_CRC_OFFSET, Checksum.of(b, 0, FileHeader.HEADER_CRC_OFFSET));
        return b.array();
    }

    private void refuse(Class<? extends ReplicaException> expected, String what, byte[] bytes) {
        disk.put(name, bytes);
        assertRefused(expected, what);
        assertThat(disk.bytes(name))
                .as("%s: the reader leaves the file alone", what)
                .isEqualTo(bytes);
    }

    private void assertRefused(Class<? extends ReplicaException> expected, String what) {
        ThrowingCallable read = reader::read;
        assertThatExceptionOfType(expected).as(what).isThrownBy(read);
    }
}
