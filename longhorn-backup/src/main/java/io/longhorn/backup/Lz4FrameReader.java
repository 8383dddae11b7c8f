package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the frames of {@link Lz4Frame} that follow each other in a buffer into one block. Used once. */
final class Lz4FrameReader {

    /**
     * What a frame says first.
     *
     * @param isLinked whether a data block may refer to what those before it hold
     * @param dataBytesMax what a data block holds at most
     * @param contentBytes what the frame holds; negative if it does not say
     */
    private record Header(
            boolean isLinked,
            boolean hasDataChecksums,
            boolean hasContentChecksum,
            int dataBytesMax,
            long contentBytes) {}

    private static final int VERSION = 1;

    private static final int INDEPENDENT = 0x20;
    private static final int DATA_CHECKSUMS = 0x10;
    private static final int CONTENT_SIZE = 0x08;
    private static final int CONTENT_CHECKSUM = 0x04;
    private static final int FLAGS_RESERVED = 0x02;
    private static final int DICTIONARY = 0x01;

    /** 4 to 7, in the place of bits 4 to 6, mean 64 KiB to 4 MiB. */
    private static final int DATA_SIZE_LEAST = 4;

    private static final int DATA_SIZE_RESERVED = 0x8f;

    private final ByteBuffer in;
    private final byte[] out;
    private int outCount;

    /** The frames are in an array that may be asked for. */
    Lz4FrameReader(ByteBuffer frames, int blockBytes) {
        this.in = frames.slice().order(ByteOrder.LITTLE_ENDIAN);
        this.out = new byte[blockBytes];
    }

    /** The block, filled. */
    byte[] read() throws IOException {
        while (in.hasRemaining()) {
            int magic = nextInt();
            if (magic == Lz4Frame.MAGIC) {
                readFrame(nextHeader());
            } else if (Lz4Frame.isSkippable(magic)) {
                skip(Integer.toUnsignedLong(nextInt()));
            } else {
                throw new IOException("something other than an LZ4 frame follows at byte " + (in.position() - 4));
            }
        }
        if (outCount < out.length) {
            throw new IOException("it holds " + outCount + " bytes, expected " + out.length);
        }
        return out;
    }

    private Header nextHeader() throws IOException {
        int begin = in.position();
        int flags = nextByte();
        int dataSize = nextByte();
        long contentBytes = (flags & CONTENT_SIZE) == 0 ? -1 : nextContentBytes();
        if ((flags & DICTIONARY) != 0) {
            skip(Integer.BYTES);
        }
        int hash = Lz4Library.hash(in.array(), in.arrayOffset() + begin, in.position() - begin);
        checkHash("the header", nextByte(), (hash >>> 8) & 0xff);
        if (flags >>> 6 != VERSION
                || (flags & FLAGS_RESERVED) != 0
                || (dataSize & DATA_SIZE_RESERVED) != 0
                || dataSize >>> 4 < DATA_SIZE_LEAST) {
            throw new IOException("its LZ4 frame is of an unknown kind: flags " + flags + ", sizes " + dataSize);
        }
        if ((flags & DICTIONARY) != 0) {
            throw new IOException("its LZ4 frame needs a dictionary");
        }
        return new Header(
                (flags & INDEPENDENT) == 0,
                (flags & DATA_CHECKSUMS) != 0,
                (flags & CONTENT_CHECKSUM) != 0,
                (64 << 10) << (2 * ((dataSize >>> 4) - DATA_SIZE_LEAST)),
                contentBytes);
    }

    private void readFrame(Header header) throws IOException {
        int begin = outCount;
        for (int length = nextInt(); (length & ~Lz4Frame.RAW) != Lz4Frame.END; length = nextInt()) {
            readData(header, begin, length & ~Lz4Frame.RAW, (length & Lz4Frame.RAW) != 0);
        }
        int count = outCount - begin;
        if (header.contentBytes >= 0 && header.contentBytes != count) {
            throw new IOException("its LZ4 frame holds " + count + " bytes, and says " + header.contentBytes);
        }
        if (header.hasContentChecksum) {
            checkHash("the content", nextInt(), Lz4Library.hash(out, begin, count));
        }
    }

    private void readData(Header header, int frameBegin, int length, boolean isRaw) throws IOException {
        if (length > header.dataBytesMax) {
            throw new IOException("a data block has " + length + " bytes, its LZ4 frame allows " + header.dataBytesMax);
        }
        int from = in.arrayOffset() + in.position();
        skip(length);
        if (header.hasDataChecksums) {
            checkHash("a data block", nextInt(), Lz4Library.hash(in.array(), from, length));
        }
        int room = Math.min(header.dataBytesMax, out.length - outCount);
        if (isRaw) {
            if (length > room) {
                throw new IOException("it holds more than " + out.length + " bytes");
            }
            System.arraycopy(in.array(), from, out, outCount, length);
            outCount += length;
        } else if (header.isLinked) {
            outCount += Lz4Sequences.decompress(in.array(), from, length, out, frameBegin, outCount, room);
        } else {
            outCount += decompress(from, length, room);
        }
    }

    private int decompress(int from, int length, int room) throws IOException {
        try {
            return Lz4Library.decompressor().decompress(in.array(), from, length, out, outCount, room);
        } catch (RuntimeException e) {
            // The library's way of saying that the bytes make no sense, or do not fit.
            throw new IOException("a data block is damaged, or holds more than " + room + " bytes", e);
        }
    }

    private static void checkHash(String what, int expected, int found) throws IOException {
        if (found != expected) {
            throw new IOException("the checksum of " + what + " is " + Integer.toHexString(found) + ", expected "
                    + Integer.toHexString(expected));
        }
    }

    private long nextContentBytes() throws IOException {
        require(Long.BYTES);
        long bytes = in.getLong();
        if (bytes < 0) {
            throw new IOException("its LZ4 frame says that it holds " + Long.toUnsignedString(bytes) + " bytes");
        }
        return bytes;
    }

    private int nextInt() throws IOException {
        require(Integer.BYTES);
        return in.getInt();
    }

    private int nextByte() throws IOException {
        require(1);
        return in.get() & 0xff;
    }

    private void skip(long count) throws IOException {
        require(count);
        in.position(in.position() + (int) count);
    }

    private void require(long count) throws IOException {
        if (in.remaining() < count) {
            throw new IOException("it ends after " + in.limit() + " bytes, within an LZ4 frame");
        }
    }
}
