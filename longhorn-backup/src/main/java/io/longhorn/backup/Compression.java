package io.longhorn.backup;

import io.longhorn.BackupCompression;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4FrameInputStream;
import net.jpountz.lz4.LZ4FrameOutputStream;
import net.jpountz.xxhash.XXHashFactory;

/** How the blocks of a backup are stored: {@code docs/format/backup-store.md}, section 4. Safe for any thread. */
enum Compression {
    NONE {
        @Override
        OutputStream compressing(OutputStream stored) {
            return stored;
        }
    },
    /** LZ4 frames of independent blocks of up to 4 MiB, with a checksum of the content and without its size. */
    LZ4 {
        @Override
        OutputStream compressing(OutputStream stored) throws IOException {
            return new LZ4FrameOutputStream(
                    stored,
                    LZ4FrameOutputStream.BLOCKSIZE.SIZE_4MB,
                    -1,
                    NativeLz4.factory().fastCompressor(),
                    NativeLz4.hashes().hash32(),
                    LZ4FrameOutputStream.FLG.Bits.BLOCK_INDEPENDENCE,
                    LZ4FrameOutputStream.FLG.Bits.CONTENT_CHECKSUM);
        }
    },
    GZIP {
        @Override
        OutputStream compressing(OutputStream stored) throws IOException {
            return new GZIPOutputStream(stored, STREAM_BYTES);
        }
    };

    private static final int STREAM_BYTES = 64 << 10;
    private static final int LZ4_MAGIC = 0x184d2204;
    private static final int GZIP_MAGIC = 0x8b1f;

    abstract OutputStream compressing(OutputStream stored) throws IOException;

    /** As documents name it. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Compression of(BackupCompression asked) {
        return switch (asked) {
            case NONE -> NONE;
            case LZ4 -> LZ4;
            case GZIP -> GZIP;
        };
    }

    /** By the name in a document; a document without one, or with an empty one, means gzip. Empty for an unknown name. */
    static Optional<Compression> of(String text) {
        if (text.isEmpty()) {
            return Optional.of(GZIP);
        }
        for (Compression each : values()) {
            if (each.text().equals(text)) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /** What is stored for the remaining bytes of a block, a new buffer; the block stays as it is. */
    ByteBuffer compress(ByteBuffer block) {
        ByteArrayOutputStream stored = new ByteArrayOutputStream(block.remaining() + STREAM_BYTES);
        try (OutputStream out = compressing(stored)) {
            byte[] bytes = new byte[block.remaining()];
            block.duplicate().get(bytes);
            out.write(bytes);
        } catch (IOException e) {
            throw new IllegalStateException("memory does not fail", e);
        }
        return ByteBuffer.wrap(stored.toByteArray());
    }

    /**
     * The block that is stored so, {@code blockBytes} long; the buffer is new. LZ4 and gzip are told apart by what is stored, whatever the document says: some stores mix them.
     *
     * @throws IOException if it is no such block
     */
    ByteBuffer decompress(ByteBuffer stored, int blockBytes) throws IOException {
        byte[] block = new byte[blockBytes];
        try (InputStream in = decompressing(stored)) {
            int count = in.readNBytes(block, 0, blockBytes);
            if (count < blockBytes) {
                throw new IOException("it holds " + count + " bytes, expected " + blockBytes);
            }
            if (in.read() >= 0) {
                throw new IOException("it holds more than " + blockBytes + " bytes");
            }
        } catch (IOException e) {
            throw e;
        } catch (RuntimeException e) {
            // The decoder's way of saying that the bytes make no sense.
            throw new IOException("it cannot be decompressed: " + e.getMessage(), e);
        }
        return ByteBuffer.wrap(block);
    }

    private InputStream decompressing(ByteBuffer stored) throws IOException {
        byte[] bytes = new byte[stored.remaining()];
        stored.duplicate().get(bytes);
        InputStream in = new ByteArrayInputStream(bytes);
        if (this == NONE) {
            return in;
        }
        if (startsWith(bytes, LZ4_MAGIC, 4)) {
            return new LZ4FrameInputStream(
                    in,
                    NativeLz4.factory().safeDecompressor(),
                    NativeLz4.hashes().hash32());
        }
        if (startsWith(bytes, GZIP_MAGIC, 2)) {
            return new GZIPInputStream(in, STREAM_BYTES);
        }
        throw new IOException("it is neither an LZ4 frame nor gzip");
    }

    private static boolean startsWith(byte[] bytes, int magic, int length) {
        if (bytes.length < length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[i] != (byte) (magic >>> (8 * i))) {
                return false;
            }
        }
        return true;
    }

    /** LZ4 by its C library where that may be loaded, else in Java; both give what the other reads. */
    private static final class NativeLz4 {
        private static final boolean ALLOWED = isAllowed(LZ4Factory.class.getModule());

        static LZ4Factory factory() {
            return ALLOWED ? LZ4Factory.fastestInstance() : LZ4Factory.safeInstance();
        }

        static XXHashFactory hashes() {
            return ALLOWED ? XXHashFactory.fastestInstance() : XXHashFactory.safeInstance();
        }

        /** Before JDK 22 everyone may; from then on the module says. */
        private static boolean isAllowed(Module module) {
            try {
                return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(module);
            } catch (NoSuchMethodException e) {
                return true;
            } catch (ReflectiveOperationException e) {
                return false;
            }
        }
    }
}
