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

/** How the blocks of a backup are stored: {@code docs/format/backup-store.md}, section 4. Safe for any thread. */
enum Compression {
    NONE {
        @Override
        ByteBuffer compress(ByteBuffer block) {
            return copyOf(block);
        }
    },
    LZ4 {
        @Override
        ByteBuffer compress(ByteBuffer block) {
            return Lz4Frame.compress(block);
        }
    },
    GZIP {
        @Override
        ByteBuffer compress(ByteBuffer block) {
            return gzip(block);
        }
    };

    private static final int STREAM_BYTES = 64 << 10;

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
    abstract ByteBuffer compress(ByteBuffer block);

    /**
     * The block that is stored so, {@code blockBytes} long; the buffer is new. LZ4 and gzip are told apart by what is stored, whatever the document says: some stores mix them.
     *
     * @throws IOException if it is no such block
     */
    ByteBuffer decompress(ByteBuffer stored, int blockBytes) throws IOException {
        if (this == NONE) {
            checkLength(stored.remaining(), blockBytes);
            return copyOf(stored);
        }
        if (Lz4Frame.isOne(stored)) {
            return Lz4Frame.decompress(stored, blockBytes);
        }
        if (isGzip(stored)) {
            return gunzip(stored, blockBytes);
        }
        throw new IOException("it is neither an LZ4 frame nor gzip");
    }

    private static ByteBuffer gzip(ByteBuffer block) {
        ByteBuffer heap = onHeap(block);
        ByteArrayOutputStream stored = new ByteArrayOutputStream(heap.remaining() + STREAM_BYTES);
        try (OutputStream out = new GZIPOutputStream(stored, STREAM_BYTES)) {
            out.write(heap.array(), heap.arrayOffset() + heap.position(), heap.remaining());
        } catch (IOException e) {
            throw new IllegalStateException("memory does not fail", e);
        }
        return ByteBuffer.wrap(stored.toByteArray());
    }

    private static boolean isGzip(ByteBuffer stored) {
        int at = stored.position();
        return stored.remaining() >= 2 && stored.get(at) == 0x1f && stored.get(at + 1) == (byte) 0x8b;
    }

    private static ByteBuffer gunzip(ByteBuffer stored, int blockBytes) throws IOException {
        ByteBuffer heap = onHeap(stored);
        byte[] block = new byte[blockBytes];
        try (InputStream in = new GZIPInputStream(
                new ByteArrayInputStream(heap.array(), heap.arrayOffset() + heap.position(), heap.remaining()),
                STREAM_BYTES)) {
            int count = in.readNBytes(block, 0, blockBytes);
            checkLength(in.read() < 0 ? count : count + 1L, blockBytes);
        }
        return ByteBuffer.wrap(block);
    }

    private static void checkLength(long found, int expected) throws IOException {
        if (found < expected) {
            throw new IOException("it holds " + found + " bytes, expected " + expected);
        }
        if (found > expected) {
            throw new IOException("it holds more than " + expected + " bytes");
        }
    }

    /** The buffer itself, or a copy, whose array may be asked for. */
    static ByteBuffer onHeap(ByteBuffer bytes) {
        return bytes.hasArray() ? bytes : copyOf(bytes);
    }

    private static ByteBuffer copyOf(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return ByteBuffer.wrap(copy);
    }
}
