package io.longhorn.replica.layer;

import java.util.Arrays;

/**
 * New entries for one block map, as parallel arrays in ascending order of the blocks, each block once. Reusable; one thread at a time.
 */
public final class MapUpdates {
    /** Room for the work of {@link BlockMap#update}. */
    private final MapPagePair pair = new MapPagePair();

    private long[] blocks;
    private long[] entries;
    private int[] crcs;
    private int size;

    public MapUpdates() {
        this(64);
    }

    /** With room for so many; takes more. */
    MapUpdates(int sizeExpected) {
        int room = Math.max(1, sizeExpected);
        blocks = new long[room];
        entries = new long[room];
        crcs = new int[room];
    }

    /** Adds the entry of a block greater than the last one added. */
    public void add(long block, long entry, int crc) {
        if (size > 0 && block <= blocks[size - 1]) {
            throw new IllegalArgumentException("block " + block + " added behind block " + blocks[size - 1]);
        }
        if (size == blocks.length) {
            blocks = Arrays.copyOf(blocks, 2 * size);
            entries = Arrays.copyOf(entries, 2 * size);
            crcs = Arrays.copyOf(crcs, 2 * size);
        }
        blocks[size] = block;
        entries[size] = entry;
        crcs[size] = crc;
        size++;
    }

    /** Blocks added. */
    public int size() {
        return size;
    }

    /** The block at that place, in ascending order. */
    public long block(int index) {
        return blocks[index];
    }

    /** {@link MapEntry} of the block at that place. */
    public long entry(int index) {
        return entries[index];
    }

    int crc(int index) {
        return crcs[index];
    }

    MapPagePair pair() {
        return pair;
    }

    void clear() {
        size = 0;
    }
}
