package io.longhorn.backup.nfs;

import java.net.ProtocolException;
import java.time.DateTimeException;
import java.time.Instant;

/**
 * What is asked of files, as far as the server told it (RFC 8881, section 5).
 *
 * @param readError the status in place of the other attributes of a directory's entry, {@link NfsStatus#OK} if there is none
 * @param maxRead most bytes of one READ, {@link Long#MAX_VALUE} if the server does not say
 * @param maxWrite the same of WRITE
 */
record Attributes(int type, long sizeBytes, int readError, Instant modifiedAt, long maxRead, long maxWrite) {
    static final int TYPE_FILE = 1;
    static final int TYPE_DIRECTORY = 2;

    static final int TYPE = 1;
    static final int SIZE = 4;
    static final int READ_ERROR = 11;
    static final int MAX_READ = 30;
    static final int MAX_WRITE = 31;
    static final int MODE = 33;
    static final int TIME_MODIFIED = 53;

    private static final int WORDS_MAX = 8;
    private static final int BYTES_MAX = 1024;

    /** Those that an entry of an object store needs. */
    static void writeWantedOfFile(XdrWriter out) {
        out.int32(2).int32(1 << TYPE | 1 << SIZE).int32(1 << (TIME_MODIFIED - 32));
    }

    /** The same for the entries of a directory. */
    static void writeWantedOfEntry(XdrWriter out) {
        out.int32(2).int32(1 << TYPE | 1 << SIZE | 1 << READ_ERROR).int32(1 << (TIME_MODIFIED - 32));
    }

    /** The limits of the server. */
    static void writeWantedLimits(XdrWriter out) {
        out.int32(1).int32(1 << MAX_READ | 1 << MAX_WRITE);
    }

    /** Those of a file to be made. */
    static void writeMode(XdrWriter out, int mode) {
        out.int32(2).int32(0).int32(1 << (MODE - 32)).int32(Integer.BYTES).int32(mode);
    }

    static void skipBitmap(XdrReader in) throws ProtocolException {
        int words = in.count(WORDS_MAX);
        for (int i = 0; i < words; i++) {
            in.int32();
        }
    }

    static Attributes read(XdrReader in) throws ProtocolException {
        long present = 0;
        int words = in.count(WORDS_MAX);
        for (int i = 0; i < words; i++) {
            long word = in.uint32();
            if (i < 2) {
                present |= word << (Integer.SIZE * i);
            } else if (word != 0) {
                throw new ProtocolException("malformed answer: attributes that were not asked for");
            }
        }
        XdrReader values = new XdrReader(in.opaque(BYTES_MAX));
        int type = 0;
        long size = -1;
        int error = NfsStatus.OK;
        Instant modifiedAt = Instant.EPOCH;
        long maxRead = Long.MAX_VALUE;
        long maxWrite = Long.MAX_VALUE;
        // In the order of their numbers, as they stand.
        for (long left = present; left != 0; left &= left - 1) {
            int attribute = Long.numberOfTrailingZeros(left);
            switch (attribute) {
                case TYPE -> type = values.int32();
                case SIZE -> size = values.int64();
                case READ_ERROR -> error = values.int32();
                case MAX_READ -> maxRead = positive(values.int64());
                case MAX_WRITE -> maxWrite = positive(values.int64());
                case TIME_MODIFIED -> modifiedAt = time(values.int64(), values.uint32());
                default ->
                    throw new ProtocolException("malformed answer: an attribute that was not asked for, " + attribute);
            }
        }
        if (values.remaining() != 0) {
            throw new ProtocolException("malformed answer: " + values.remaining() + " bytes after the attributes");
        }
        return new Attributes(type, size, error, modifiedAt, maxRead, maxWrite);
    }

    private static long positive(long limit) {
        // Zero is "no limit" at some servers; what looks negative is large.
        return limit <= 0 ? Long.MAX_VALUE : limit;
    }

    private static Instant time(long seconds, long nanos) throws ProtocolException {
        try {
            return Instant.ofEpochSecond(seconds, nanos);
        } catch (DateTimeException | ArithmeticException e) {
            ProtocolException malformed = new ProtocolException("malformed answer: the time " + seconds + " s");
            malformed.initCause(e);
            throw malformed;
        }
    }

    boolean isFile() {
        return type == TYPE_FILE;
    }

    boolean isDirectory() {
        return type == TYPE_DIRECTORY;
    }

    /** Refuses attributes without type, or files without size. */
    Attributes whole() throws ProtocolException {
        if (type == 0 || (isFile() && sizeBytes < 0)) {
            throw new ProtocolException("malformed answer: a file without type or size");
        }
        return this;
    }
}
