package io.longhorn.replica.layer;

import java.util.Arrays;

/**
 * Newest journaled version of the blocks of one layer that are not in its files yet: an open-addressing table from block to {@link MapEntry}, CRC and journal position
 * of the block's bytes, and beside it {@link PendingRanges} for longer runs of zeroes. Takes no memory while it is empty. Loop only.
 */
public final class PendingBlocks {
    /** What a look-up of a block that is not here answers. */
    public static final int NONE = -1;
    /** Position of a block without bytes. */
    public static final long NO_POSITION = -1;

    private static final int SMALLEST = 16;

    private final PendingRanges ranges = new PendingRanges();
    /** Block plus one; 0 is a free slot. */
    private long[] keys = new long[0];

    private long[] entries = new long[0];
    private long[] positions = new long[0];
    private int[] crcs = new int[0];
    private int size;

    /** Whether the journal has nothing of the layer, in the table or as a range. */
    public boolean isEmpty() {
        return size == 0 && ranges.size() == 0;
    }

    /** Longer runs of zeroes, which may cover blocks of the table, older or newer ones. */
    public PendingRanges ranges() {
        return ranges;
    }

    /** Blocks in the table. */
    public int tableSize() {
        return size;
    }

    private static int home(long block, int mask) {
        return (int) ((block * 0x9E3779B97F4A7C15L) >>> 32) & mask;
    }

    /** The block's slot in the table, for the accessors, or {@link #NONE}. A range may be newer. */
    public int find(long block) {
        if (size == 0) {
            return NONE;
        }
        int mask = keys.length - 1;
        for (int i = home(block, mask); keys[i] != 0; i = (i + 1) & mask) {
            if (keys[i] == block + 1) {
                return i;
            }
        }
        return NONE;
    }

    /** Slots of the table, free ones too. */
    public int slots() {
        return keys.length;
    }

    /** The block in that slot, -1 if it is free. */
    public long block(int slot) {
        return keys[slot] - 1;
    }

    /** {@link MapEntry} of the block in that slot. */
    public long entry(int slot) {
        return entries[slot];
    }

    /** CRC32C of the block in that slot; 0 unless it is data. */
    public int crc(int slot) {
        return crcs[slot];
    }

    /** Journal position of the block's bytes. */
    public long position(int slot) {
        return positions[slot];
    }

    /** Sequence of the newest version of the block here, 0 if there is none. */
    public long sequenceOf(long block) {
        int slot = find(block);
        long inTable = slot == NONE ? 0 : MapEntry.sequence(entries[slot]);
        return Math.max(inTable, ranges.sequenceAt(block));
    }

    /** Takes a version of the block in place of the one here, whichever is newer. */
    public void put(long block, long entry, int crc, long position) {
        if (2 * (size + 1) > keys.length) {
            resize(Math.max(SMALLEST, 2 * keys.length));
        }
        int slot = slotFor(block);
        if (keys[slot] == 0) {
            keys[slot] = block + 1;
            size++;
        }
        entries[slot] = entry;
        crcs[slot] = crc;
        positions[slot] = position;
    }

    private int slotFor(long block) {
        int mask = keys.length - 1;
        int i = home(block, mask);
        while (keys[i] != 0 && keys[i] != block + 1) {
            i = (i + 1) & mask;
        }
        return i;
    }

    /** Forgets the block's version in the table unless it is newer than {@code sequence}. An older one may be there that a range hides. */
    void removeThrough(long block, long sequence) {
        int slot = find(block);
        if (slot != NONE && MapEntry.sequence(entries[slot]) <= sequence) {
            remove(slot);
            if (size == 0) {
                resize(0);
            } else if (keys.length > SMALLEST && 8 * size < keys.length) {
                resize(keys.length / 2);
            }
        }
    }

    /** Closes the gap, so that no later key of the same run becomes unreachable. */
    private void remove(int slot) {
        int mask = keys.length - 1;
        int gap = slot;
        for (int i = (slot + 1) & mask; keys[i] != 0; i = (i + 1) & mask) {
            int home = home(keys[i] - 1, mask);
            boolean staysReachable = gap <= i ? gap < home && home <= i : gap < home || home <= i;
            if (!staysReachable) {
                keys[gap] = keys[i];
                entries[gap] = entries[i];
                positions[gap] = positions[i];
                crcs[gap] = crcs[i];
                gap = i;
            }
        }
        keys[gap] = 0;
        size--;
    }

    private void resize(int capacity) {
        long[] oldKeys = keys;
        long[] oldEntries = entries;
        long[] oldPositions = positions;
        int[] oldCrcs = crcs;
        keys = new long[capacity];
        entries = new long[capacity];
        positions = new long[capacity];
        crcs = new int[capacity];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != 0) {
                int slot = slotFor(oldKeys[i] - 1);
                keys[slot] = oldKeys[i];
                entries[slot] = oldEntries[i];
                positions[slot] = oldPositions[i];
                crcs[slot] = oldCrcs[i];
            }
        }
    }

    /** The blocks of the table, ascending. */
    public long[] tableBlocks() {
        long[] blocks = new long[size];
        int n = 0;
        for (long key : keys) {
            if (key != 0) {
                blocks[n++] = key - 1;
            }
        }
        Arrays.sort(blocks);
        return blocks;
    }

    /** Forgets everything, ranges too, and keeps the memory for as much again, if most of it was used. */
    public void reset() {
        if (8 * size >= keys.length) {
            Arrays.fill(keys, 0);
            size = 0;
            ranges.clear();
        } else if (!isEmpty()) {
            clear();
        }
    }

    /** Forgets everything, ranges too. */
    public void clear() {
        size = 0;
        keys = new long[0];
        entries = new long[0];
        positions = new long[0];
        crcs = new int[0];
        ranges.clear();
    }
}
