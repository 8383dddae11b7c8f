package io.longhorn.replica.disk;

import io.longhorn.DamagedFileException;
import io.longhorn.FileTooNewException;
import io.longhorn.FileTooOldException;
import io.longhorn.ForeignFileException;
import io.longhorn.replica.wire.Checksum;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The start of every metadata file; see {@code docs/format/disk.md}, section 2. Little-endian, the same in every version of every format.
 *
 * <pre>
 *  0       8        12        14         16      32            40       48      52         56         60           64
 *  | magic | format | version | reserved | owner | body length | key id | flags | body CRC | reserved | header CRC | body ...
 * </pre>
 *
 * The header CRC covers bytes [0, 60), the body CRC the body. Key id is zero: nothing is encrypted in version 1.
 */
public final class FileHeader {
    /** "LONGHORN" as a little-endian long. */
    static final long MAGIC = 0x4E524F48474E4F4CL;

    static final int MAGIC_OFFSET = 0;
    /** Guards against a file of ours in another one's place. */
    static final int FORMAT_OFFSET = 8;

    /** Guards against a reader that does not know the form. */
    public static final int VERSION_OFFSET = 12;

    static final int RESERVED_SHORT_OFFSET = 14;
    /** Id of the disk or replica. Guards against a file that was copied from another disk or replica. */
    static final int OWNER_OFFSET = 16;
    /** Guards against a file cut short. */
    static final int BODY_LENGTH_OFFSET = 32;
    /** Left for encryption at rest: which key the body is encrypted with; 0 is none. */
    static final int KEY_ID_OFFSET = 40;

    static final int FLAGS_OFFSET = 48;
    static final int BODY_CRC_OFFSET = 52;
    static final int RESERVED_INT_OFFSET = 56;
    /** Guards against damage in the header. */
    public static final int HEADER_CRC_OFFSET = 60;
    /** Length of the header. */
    public static final int BYTES = 64;

    private FileHeader() {}

    /** Writes a header at {@code at} of a little-endian buffer. */
    public static void encode(ByteBuffer b, int at, FileKind kind, UUID owner, long bodyLength, int bodyCrc) {
        b.putLong(at + MAGIC_OFFSET, MAGIC);
        b.putInt(at + FORMAT_OFFSET, kind.id());
        b.putShort(at + VERSION_OFFSET, (short) kind.version());
        b.putShort(at + RESERVED_SHORT_OFFSET, (short) 0);
        b.putLong(at + OWNER_OFFSET, owner.getMostSignificantBits());
        b.putLong(at + OWNER_OFFSET + 8, owner.getLeastSignificantBits());
        b.putLong(at + BODY_LENGTH_OFFSET, bodyLength);
        b.putLong(at + KEY_ID_OFFSET, 0);
        b.putInt(at + FLAGS_OFFSET, 0);
        b.putInt(at + BODY_CRC_OFFSET, bodyCrc);
        b.putInt(at + RESERVED_INT_OFFSET, 0);
        b.putInt(at + HEADER_CRC_OFFSET, Checksum.of(b, at, HEADER_CRC_OFFSET));
    }

    /**
     * Checks everything but the body's length and CRC.
     *
     * @param available bytes of the file that are in {@code b} from {@code at} on
     * @param owner the disk or replica that the file must belong to; null if the file says which
     * @throws DamagedFileException if it is cut short or fails its checksum
     * @throws ForeignFileException if it is no file of this kind and owner
     * @throws FileTooOldException if its version is not read any more
     * @throws FileTooNewException if its version is not known yet
     */
    public static void check(ByteBuffer b, int at, long available, FileKind kind, @Nullable UUID owner, Path path) {
        if (available < BYTES) {
            throw new DamagedFileException(path, available, "ends inside its header");
        }
        if (b.getLong(at + MAGIC_OFFSET) != MAGIC) {
            throw new ForeignFileException(path, kind.title());
        }
        if (b.getInt(at + HEADER_CRC_OFFSET) != Checksum.of(b, at, HEADER_CRC_OFFSET)) {
            throw new DamagedFileException(path, HEADER_CRC_OFFSET, "the header does not match its checksum");
        }
        if (b.getInt(at + FORMAT_OFFSET) != kind.id()) {
            throw new ForeignFileException(path, kind.title());
        }
        int version = version(b, at);
        if (version < kind.oldestVersion()) {
            throw new FileTooOldException(path, version, kind.oldestVersion());
        }
        if (version > kind.version()) {
            throw new FileTooNewException(path, version, kind.version());
        }
        if (owner != null && !owner.equals(owner(b, at))) {
            throw new ForeignFileException(path, kind.title() + " of " + owner);
        }
        checkReserved(b, at, path);
    }

    private static void checkReserved(ByteBuffer b, int at, Path path) {
        if (b.getLong(at + KEY_ID_OFFSET) != 0
                || b.getInt(at + FLAGS_OFFSET) != 0
                || b.getShort(at + RESERVED_SHORT_OFFSET) != 0
                || b.getInt(at + RESERVED_INT_OFFSET) != 0
                || bodyLength(b, at) < 0) {
            throw new DamagedFileException(
                    path, KEY_ID_OFFSET, "a field of the header holds what version 1 never writes");
        }
    }

    /** Whether magic and header CRC are good: this is a file of ours, whichever, and its header was not damaged. */
    public static boolean isWhole(ByteBuffer b, int at) {
        return b.getLong(at + MAGIC_OFFSET) == MAGIC
                && b.getInt(at + HEADER_CRC_OFFSET) == Checksum.of(b, at, HEADER_CRC_OFFSET);
    }

    static int version(ByteBuffer b, int at) {
        return b.getShort(at + VERSION_OFFSET) & 0xffff;
    }

    static UUID owner(ByteBuffer b, int at) {
        return new UUID(b.getLong(at + OWNER_OFFSET), b.getLong(at + OWNER_OFFSET + 8));
    }

    /** Bytes behind the header that belong to the file. */
    public static long bodyLength(ByteBuffer b, int at) {
        return b.getLong(at + BODY_LENGTH_OFFSET);
    }

    /** CRC32C that the body must have. */
    public static int bodyCrc(ByteBuffer b, int at) {
        return b.getInt(at + BODY_CRC_OFFSET);
    }
}
