package io.longhorn.replica;

import java.util.Arrays;

/**
 * Where the records of a replica stand that the journal still holds, by sequence, without gaps: position, frame length, the blocks they concern. A growing ring of
 * primitive arrays; what it may take is bounded by the journal. Loop only.
 */
final class RecordIndex {
    private static final int SMALLEST = 16;

    private long first = 1;
    private int head;
    private int size;
    private long[] positions = new long[0];
    private long[] firstBlocks = new long[0];
    private int[] blockCounts = new int[0];
    private int[] frameLengths = new int[0];
    private int[] firstCrcs = new int[0];
    /** Type code, with the flags above it. */
    private short[] kinds = new short[0];

    private static final int FLAGS_SHIFT = 8;

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
        resize(0);
    }

    void add(long position, int frameLength, int type, int flags, long firstBlock, int blockCount, int firstCrc) {
        if (size == positions.length) {
            resize(Math.max(SMALLEST, 2 * size));
        }
        int i = (head + size++) & (positions.length - 1);
        positions[i] = position;
        frameLengths[i] = frameLength;
        kinds[i] = (short) (type | flags << FLAGS_SHIFT);
        firstBlocks[i] = firstBlock;
        blockCounts[i] = blockCount;
        firstCrcs[i] = firstCrc;
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

    /** Journal position behind the record. */
    long endPosition(long sequence) {
        int i = at(sequence);
        return positions[i] + frameLengths[i];
    }

    int frameLength(long sequence) {
        return frameLengths[at(sequence)];
    }

    int type(long sequence) {
        return kinds[at(sequence)] & 0xff;
    }

    int flags(long sequence) {
        return kinds[at(sequence)] >>> FLAGS_SHIFT & 0xff;
    }

    long firstBlock(long sequence) {
        return firstBlocks[at(sequence)];
    }

    int blockCount(long sequence) {
        return blockCounts[at(sequence)];
    }

    /** Checksum of the first block of a record that brings blocks; of most it is the only one. */
    int firstCrc(long sequence) {
        return firstCrcs[at(sequence)];
    }

    /** Drops records before {@code sequence}. Keeps the memory: under load as many come again. */
    void dropBefore(long sequence) {
        int dropped = (int) Math.max(0, Math.min(size, sequence - first));
        if (dropped > 0) {
            head = (head + dropped) & (positions.length - 1);
            first += dropped;
            size -= dropped;
        }
    }

    /** Gives memory back that the records do not need. */
    void trim() {
        int needed = size == 0 ? 0 : Math.max(SMALLEST, 2 * Integer.highestOneBit(size));
        if (needed < positions.length / 2) {
            resize(needed);
        }
    }

    private void resize(int capacity) {
        positions = unrolled(positions, capacity);
        firstBlocks = unrolled(firstBlocks, capacity);
        int[] counts = new int[capacity];
        int[] lengths = new int[capacity];
        int[] crcs = new int[capacity];
        short[] newKinds = new short[capacity];
        for (int i = 0; i < size; i++) {
            int j = (head + i) & (blockCounts.length - 1);
            counts[i] = blockCounts[j];
            lengths[i] = frameLengths[j];
            crcs[i] = firstCrcs[j];
            newKinds[i] = kinds[j];
        }
        blockCounts = counts;
        frameLengths = lengths;
        firstCrcs = crcs;
        kinds = newKinds;
        head = 0;
    }

    private long[] unrolled(long[] ring, int capacity) {
        if (head == 0) {
            return Arrays.copyOf(ring, capacity);
        }
        long[] straight = new long[capacity];
        int untilEnd = Math.min(size, ring.length - head);
        System.arraycopy(ring, head, straight, 0, untilEnd);
        System.arraycopy(ring, 0, straight, untilEnd, size - untilEnd);
        return straight;
    }
}
