package io.longhorn.replica.layer;

import java.util.Arrays;

/**
 * Ranges of blocks that journaled records made zeroes, newest wins: intervals that do not overlap, in ascending order, each with the sequence of its record. A discard of
 * many blocks costs as much memory as one of a single block. Loop only.
 */
public final class PendingRanges {
    private static final int SMALLEST = 8;

    private long[] starts = new long[0];
    private long[] ends = new long[0];
    private long[] sequences = new long[0];
    private int size;

    int size() {
        return size;
    }

    long start(int index) {
        return starts[index];
    }

    long end(int index) {
        return ends[index];
    }

    long sequence(int index) {
        return sequences[index];
    }

    /** Sequence of the interval that covers {@code block}, 0 if none does. */
    long sequenceAt(long block) {
        int index = firstEndingBehind(block);
        return index < size && starts[index] <= block ? sequences[index] : 0;
    }

    /** Index of the first interval that ends behind {@code block}. */
    int firstEndingBehind(long block) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ends[middle] > block) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** Adds [from, to) with a sequence greater than any here; what it covers goes. */
    public void add(long from, long to, long sequence) {
        int first = firstEndingBehind(from);
        int last = first;
        while (last < size && starts[last] < to) {
            last++;
        }
        boolean keepsLeft = first < last && starts[first] < from;
        boolean keepsRight = first < last && ends[last - 1] > to;
        long leftStart = keepsLeft ? starts[first] : 0;
        long leftSequence = keepsLeft ? sequences[first] : 0;
        long rightEnd = keepsRight ? ends[last - 1] : 0;
        long rightSequence = keepsRight ? sequences[last - 1] : 0;
        int at = replace(first, last, 1 + (keepsLeft ? 1 : 0) + (keepsRight ? 1 : 0));
        if (keepsLeft) {
            set(at++, leftStart, from, leftSequence);
        }
        set(at++, from, to, sequence);
        if (keepsRight) {
            set(at, to, rightEnd, rightSequence);
        }
    }

    /** Makes room for {@code count} intervals in place of [first, last). */
    private int replace(int first, int last, int count) {
        int newSize = size - (last - first) + count;
        if (newSize > starts.length) {
            int capacity = Math.max(SMALLEST, 2 * newSize);
            starts = Arrays.copyOf(starts, capacity);
            ends = Arrays.copyOf(ends, capacity);
            sequences = Arrays.copyOf(sequences, capacity);
        }
        int tail = size - last;
        System.arraycopy(starts, last, starts, first + count, tail);
        System.arraycopy(ends, last, ends, first + count, tail);
        System.arraycopy(sequences, last, sequences, first + count, tail);
        size = newSize;
        return first;
    }

    private void set(int index, long start, long end, long sequence) {
        starts[index] = start;
        ends[index] = end;
        sequences[index] = sequence;
    }

    /** Drops the intervals with a sequence of at most {@code sequence}. */
    void dropThrough(long sequence) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (sequences[i] > sequence) {
                set(kept++, starts[i], ends[i], sequences[i]);
            }
        }
        size = kept;
        if (size == 0) {
            clear();
        }
    }

    void clear() {
        starts = new long[0];
        ends = new long[0];
        sequences = new long[0];
        size = 0;
    }
}
