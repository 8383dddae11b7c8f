package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.jpountz.lz4.LZ4Exception;

/**
 * LZ4 frames, in memory: the LZ4 frame format, version 1.6. Written as Longhorn writes them, read whoever wrote them. Safe for any thread.
 *
 * <pre>
 *   4  magic
 *   1  flags, 1  largest data block, 0 or 8  content size, 0 or 4  dictionary, 1  checksum of these
 *   4  length of a data block, its highest bit set if that is stored as it is, n  the data block, 0 or 4  its checksum
 *   ...
 *   4  zero
 *   0 or 4  checksum of the content
 * </pre>
 *
 * <p>Numbers are little-endian, checksums xxHash of 32 bits.
 */
final class Lz4Frame {
    static final int MAGIC = 0x184d2204;
    /** Of frames that hold what readers pass over; the last four bits may be any. */
    static final int MAGIC_SKIPPABLE = 0x184d2a50;
    /** In the length of a data block: it is stored as it is. */
    static final int RAW = 1 << 31;

    static final int END = 0;

    /** With independent data blocks of up to 4 MiB and a checksum of the content, without its size. */
    private static final byte[] HEADER = {0x04, 0x22, 0x4d, 0x18, 0x64, 0x70, (byte) 0xb9};

    private static final int DATA_BYTES_MAX = 4 << 20;

    private Lz4Frame() {}

    /** Whether it begins as a frame does. */
    static boolean isOne(ByteBuffer stored) {
        if (stored.remaining() < Integer.BYTES) {
            return false;
        }
        int magic = stored.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt();
        return magic == MAGIC || isSkippable(magic);
    }

    static boolean isSkippable(int magic) {
        return (magic & ~0xf) == MAGIC_SKIPPABLE;
    }

    /** A new buffer with the remaining bytes of the block, which stays as it is. */
    static ByteBuffer compress(ByteBuffer block) {
        ByteBuffer heap = Compression.onHeap(block);
        byte[] bytes = heap.array();
        int begin = heap.arrayOffset() + heap.position();
        int length = heap.remaining();
        ByteBuffer frame = ByteBuffer.allocate(frameBytesMax(length)).order(ByteOrder.LITTLE_ENDIAN);
        frame.put(HEADER);
        for (int done = 0; done < length; done += DATA_BYTES_MAX) {
            putData(frame, bytes, begin + done, Math.min(DATA_BYTES_MAX, length - done));
        }
        frame.putInt(END);
        frame.putInt(Lz4Library.hash(bytes, begin, length));
        return frame.flip().order(ByteOrder.BIG_ENDIAN);
    }

    private static int frameBytesMax(int length) {
        int dataBlocks = (length + DATA_BYTES_MAX - 1) / DATA_BYTES_MAX;
        return HEADER.length + Integer.BYTES * dataBlocks + length + Integer.BYTES + Integer.BYTES;
    }

    private static void putData(ByteBuffer frame, byte[] bytes, int from, int length) {
        int lengthAt = frame.position();
        int dataAt = lengthAt + Integer.BYTES;
        int compressed = compressed(bytes, from, length, frame.array(), frame.arrayOffset() + dataAt);
        if (compressed < length) {
            frame.putInt(compressed).position(dataAt + compressed);
        } else {
            frame.putInt(length | RAW).put(bytes, from, length);
        }
    }

    /** The length of what it is compressed to; {@code length} if that would not be less. */
    private static int compressed(byte[] bytes, int from, int length, byte[] target, int at) {
        try {
            return Lz4Library.compressor().compress(bytes, from, length, target, at, length - 1);
        } catch (LZ4Exception e) {
            // The library's way of saying that the target is too small.
            return length;
        }
    }

    /**
     * The content, {@code blockBytes} long, of one frame or of several that follow each other; the buffer is new. Frames that need a dictionary are refused.
     *
     * @throws IOException if it is no such frame, or holds more or less; the message is a sentence without a subject
     */
    static ByteBuffer decompress(ByteBuffer frame, int blockBytes) throws IOException {
        return ByteBuffer.wrap(new Lz4FrameReader(Compression.onHeap(frame), blockBytes).read());
    }
}
