package io.longhorn.replica.server;

import io.longhorn.replica.wire.BlockState;
import java.util.Arrays;

/**
 * Newest journaled version of the blocks of one layer that are not in its files yet: an open-addressing table from block to sequence, journal
 * position of the block's bytes, CRC and state. Loop only.
 */
final class PendingBlocks {
    private static final int SMALLEST = 16;

    private long[] keys = new long[SMALLEST];
    private long[] sequences = new long[SMALLEST];
    private long[] positions = new long[SMALLEST];
    private int[] crcs = new int[SMALLEST];
    private byte[] states = new byte[SMALLEST];
    private int size;

    int size() {
        return size;
    }

    private static int hash(long block, int mask) {
        return (int) ((block * 0x9E3779B97F4A7C15L) >>> 32) & mask;
    }

    /** The block's slot, for the accessors, or -1. */
    int find(long block) {
        int mask = keys.length - 1;
        for (int i = hash(block, mask); keys[i] != 0; i = (i + 1) & mask) {
            if (keys[i] == block + 1) {
                return i;
            }
        }
        return -1;
    }

    long sequence(int slot) {
        return sequences[slot];
    }

    long position(int slot) {
        return positions[slot];
    }

    int crc(int slot) {
        return crcs[slot];
    }

    BlockState state(int slot) {
        return BlockState.of(states[slot]);
    }

    void put(long block, long sequence, long position, int crc, BlockState state) {
        if (size * 2 >= keys.length) {
            resize(keys.length * 2);
        }
        int slot = slotFor(block);
        if (keys[slot] == 0) {
            keys[slot] = block + 1;
            size++;
        }
        sequences[slot] = sequence;
        positions[slot] = position;
        crcs[slot] = crc;
        states[slot] = (byte) state.code();
    }

    private int slotFor(long block) {
        int mask = keys.length - 1;
        int i = hash(block, mask);
        while (keys[i] != 0 && keys[i] != block + 1) {
            i = (i + 1) & mask;
        }
        return i;
    }

    /** The bytes of a record moved from {@code from} on by {@code shift}. */
    void moved(long block, long sequence, long newPosition) {
        int slot = find(block);
        if (slot >= 0 && sequences[slot] == sequence) {
            positions[slot] = newPosition;
        }
    }

    /** Forgets the block if its newest version is still this one. */
    void removeIf(long block, long sequence) {
        int slot = find(block);
        if (slot >= 0 && sequences[slot] == sequence) {
            remove(slot);
            if (keys.length > SMALLEST && size * 8 < keys.length) {
                resize(keys.length / 2);
            }
        }
    }

    /** Closes the gap, so that no later entry of the same run becomes unreachable. */
    private void remove(int slot) {
        int mask = keys.length - 1;
        int gap = slot;
        int i = slot;
        while (true) {
            i = (i + 1) & mask;
            if (keys[i] == 0) {
                break;
            }
            int home = hash(keys[i] - 1, mask);
            boolean stays = gap <= i ? gap < home && home <= i : gap < home || home <= i;
            if (!stays) {
                copy(i, gap);
                gap = i;
            }
        }
        keys[gap] = 0;
        size--;
    }

    private void copy(int from, int to) {
        keys[to] = keys[from];
        sequences[to] = sequences[from];
        positions[to] = positions[from];
        crcs[to] = crcs[from];
        states[to] = states[from];
    }

    private void resize(int capacity) {
        long[] oldKeys = keys;
        long[] oldSequences = sequences;
        long[] oldPositions = positions;
        int[] oldCrcs = crcs;
        byte[] oldStates = states;
        keys = new long[capacity];
        sequences = new long[capacity];
        positions = new long[capacity];
        crcs = new int[capacity];
        states = new byte[capacity];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != 0) {
                int slot = slotFor(oldKeys[i] - 1);
                keys[slot] = oldKeys[i];
                sequences[slot] = oldSequences[i];
                positions[slot] = oldPositions[i];
                crcs[slot] = oldCrcs[i];
                states[slot] = oldStates[i];
            }
        }
    }

    void clear() {
        Arrays.fill(keys, 0);
        size = 0;
        resize(SMALLEST);
    }

    /** The blocks, ascending. */
    long[] blocks() {
        long[] all = new long[size];
        int n = 0;
        for (long key : keys) {
            if (key != 0) {
                all[n++] = key - 1;
            }
        }
        Arrays.sort(all);
        return all;
    }
}
