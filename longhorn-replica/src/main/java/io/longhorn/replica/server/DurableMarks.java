package io.longhorn.replica.server;

/**
 * Which sequence a replica may call durable when the journal is stable up to a position: pairs of sequence and end position, in order, dropped as the
 * journal passes them. Loop only.
 */
final class DurableMarks {
    private long[] sequences = new long[64];
    private long[] ends = new long[64];
    private int head;
    private int size;

    void add(long sequence, long end) {
        if (size == sequences.length) {
            grow();
        }
        int i = (head + size++) & (sequences.length - 1);
        sequences[i] = sequence;
        ends[i] = end;
    }

    /** Newest sequence whose record ends at or before {@code position}, or 0 if none that was still waiting does. */
    long durableThrough(long position) {
        long durable = 0;
        while (size > 0 && ends[head] <= position) {
            durable = sequences[head];
            head = (head + 1) & (sequences.length - 1);
            size--;
        }
        return durable;
    }

    void clear() {
        head = 0;
        size = 0;
    }

    private void grow() {
        int capacity = sequences.length;
        long[] s = new long[2 * capacity];
        long[] e = new long[2 * capacity];
        for (int i = 0; i < size; i++) {
            s[i] = sequences[(head + i) & (capacity - 1)];
            e[i] = ends[(head + i) & (capacity - 1)];
        }
        sequences = s;
        ends = e;
        head = 0;
    }
}
