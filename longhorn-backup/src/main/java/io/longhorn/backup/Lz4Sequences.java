package io.longhorn.backup;

import java.io.IOException;

/**
 * Decompresses data blocks of LZ4 that may refer to what came before them, which the library refuses: the LZ4 block format. Nobody writes such by default, so this is plain
 * rather than fast. Used once.
 *
 * <p>A data block is a row of sequences. Each is a token, literals, and a reference to bytes that are there already; the last one ends after its literals.
 */
final class Lz4Sequences {
    private static final int MATCH_LEAST = 4;
    /** In one half of a token: the length goes on in the bytes that follow, the last of which is not 255. */
    private static final int LONGER = 15;

    private final byte[] in;
    private final int inEnd;
    private int inAt;

    private final byte[] out;
    private final int outFirst;
    private final int outEnd;
    private int outAt;

    private Lz4Sequences(byte[] in, int inFrom, int inEnd, byte[] out, int outFirst, int outFrom, int outEnd) {
        this.in = in;
        this.inAt = inFrom;
        this.inEnd = inEnd;
        this.out = out;
        this.outFirst = outFirst;
        this.outAt = outFrom;
        this.outEnd = outEnd;
    }

    /**
     * Decompresses to {@code out} at {@code outFrom}, where bytes from {@code outFirst} on may be referred to.
     *
     * @return how many bytes there are; no more than {@code room}
     * @throws IOException if the sequences make no sense, or need more room
     */
    static int decompress(byte[] in, int inFrom, int inLength, byte[] out, int outFirst, int outFrom, int room)
            throws IOException {
        Lz4Sequences sequences =
                new Lz4Sequences(in, inFrom, inFrom + inLength, out, outFirst, outFrom, outFrom + room);
        while (!sequences.readOne()) {}
        return sequences.outAt - outFrom;
    }

    /** Returns whether it was the last one. */
    private boolean readOne() throws IOException {
        int token = nextByte();
        copyLiterals(nextLength(token >>> 4));
        if (inAt == inEnd) {
            return true;
        }
        int distance = nextByte() | (nextByte() << 8);
        copyMatch(distance, MATCH_LEAST + nextLength(token & 0xf));
        return false;
    }

    private void copyLiterals(int length) throws IOException {
        if (length > inEnd - inAt) {
            throw damaged("ends within its literals");
        }
        requireRoom(length);
        System.arraycopy(in, inAt, out, outAt, length);
        inAt += length;
        outAt += length;
    }

    private void copyMatch(int distance, int length) throws IOException {
        if (distance == 0 || distance > outAt - outFirst) {
            throw damaged("refers to what lies " + distance + " bytes before byte " + (outAt - outFirst));
        }
        requireRoom(length);
        // One by one, as the bytes that are referred to may be among those that are copied.
        for (int i = 0; i < length; i++) {
            out[outAt] = out[outAt - distance];
            outAt++;
        }
    }

    /** Cannot overflow: a data block has 4 MiB at most, of up to 255 each. */
    private int nextLength(int half) throws IOException {
        int length = half;
        if (half == LONGER) {
            int more;
            do {
                more = nextByte();
                length += more;
            } while (more == 255);
        }
        return length;
    }

    private int nextByte() throws IOException {
        if (inAt == inEnd) {
            throw damaged("ends within a sequence");
        }
        return in[inAt++] & 0xff;
    }

    private void requireRoom(int length) throws IOException {
        if (length > outEnd - outAt) {
            throw damaged("holds more than there is room for");
        }
    }

    private static IOException damaged(String how) {
        return new IOException("a data block " + how);
    }
}
