package io.longhorn.replica.server;

/**
 * Where a replica's records stand that the journal still holds, by sequence, without gaps: position and frame length, the blocks
 * they concern. A growing ring of primitive arrays. Loop only.
 */
final class RecordIndex {
    private long first = 1;
    private int head;
    private int size;
    private long[] positions = new long[64];
    private long[] firstBlocks = new long[64];
    private int[] blockCounts = new int[64];
    private int[] frameLengths = new int[64];
    private byte[] types = new byte[64];

    long firstSequence() {
        return first;
    }

    /** Sequence behind the last. */
    long endSequence() {
        return first + size;
    }

    boolean holds(long sequence) {
        return sequence >= first && sequence < first + size;
    }

    /** Empties it; the next record added has that sequence. */
    void startAt(long sequence) {
        first = sequence;
        head = 0;
        size = 0;
    }

    void add(long position, int frameLength, int type, long firstBlock, int blockCount) {
        if (size == positions.length) {
            grow();
        }
        int i = (head + size++) & (positions.length - 1);
        positions[i] = position;
        frameLengths[i] = frameLength;
        types[i] = (byte) type;
        firstBlocks[i] = firstBlock;
        blockCounts[i] = blockCount;
    }

    private int at(long sequence) {
        if (!holds(sequence)) {
            throw new IllegalStateException("record " + sequence + " is outside " + first + ".." + (endSequence() - 1));
        }
        return (head + (int) (sequence - first)) & (positions.length - 1);
    }

    long position(long sequence) {
        return positions[at(sequence)];
    }

    void position(long sequence, long position) {
        positions[at(sequence)] = position;
    }

    int frameLength(long sequence) {
        return frameLengths[at(sequence)];
    }

    int type(long sequence) {
        return types[at(sequence)];
    }

    long firstBlock(long sequence) {
        return firstBlocks[at(sequence)];
    }

    int blockCount(long sequence) {
        return blockCounts[at(sequence)];
    }

    /** Drops records before {@code sequence}. */
    void dropBefore(long sequence) {
        while (size > 0 && first < sequence) {
            head = (head + 1) & (positions.length - 1);
            first++;
            size--;
        }
    }

    private void grow() {
        int capacity = positions.length;
        long[] p = new long[2 * capacity];
        long[] f = new long[2 * capacity];
        int[] c = new int[2 * capacity];
        int[] l = new int[2 * capacity];
        byte[] t = new byte[2 * capacity];
        for (int i = 0; i < size; i++) {
            int j = (head + i) & (capacity - 1);
            p[i] = positions[j];
            f[i] = firstBlocks[j];
            c[i] = blockCounts[j];
            l[i] = frameLengths[j];
            t[i] = types[j];
        }
        positions = p;
        firstBlocks = f;
        blockCounts = c;
        frameLengths = l;
        types = t;
        head = 0;
    }
}
