package io.longhorn.backup;

/**
 * Checksums of blocks, a million of them in 32 MiB. Keeps the first 128 bits of each: two blocks that agree in these count as one, so an answer may be a wrong yes, with the
 * probability of a wrong checksum, and never a wrong no. One thread at a time.
 */
final class ChecksumSet {
    private static final int SMALLEST = 64;

    private long[] pairs = new long[2 * SMALLEST];
    private int size;
    private boolean hasZero;

    /** Returns whether it was not there. */
    boolean add(String checksum) {
        return add(high(checksum), low(checksum));
    }

    /** The same with the checksum of a block of a list. */
    boolean add(BlockList blocks, int index) {
        return add(blocks.checksumWord(index, 0), blocks.checksumWord(index, 1));
    }

    void addAll(BlockList blocks) {
        for (int i = 0; i < blocks.size(); i++) {
            add(blocks, i);
        }
    }

    private boolean add(long high, long low) {
        if ((high | low) == 0) {
            boolean isNew = !hasZero;
            hasZero = true;
            return isNew;
        }
        if (4 * (size + 1) > pairs.length) {
            grow();
        }
        int slot = slotOf(pairs, high, low);
        if ((pairs[slot] | pairs[slot + 1]) != 0) {
            return false;
        }
        pairs[slot] = high;
        pairs[slot + 1] = low;
        size++;
        return true;
    }

    boolean contains(String checksum) {
        return contains(high(checksum), low(checksum));
    }

    /** The same with the checksum of a block of a list. */
    boolean contains(BlockList blocks, int index) {
        return contains(blocks.checksumWord(index, 0), blocks.checksumWord(index, 1));
    }

    private boolean contains(long high, long low) {
        if ((high | low) == 0) {
            return hasZero;
        }
        int slot = slotOf(pairs, high, low);
        return (pairs[slot] | pairs[slot + 1]) != 0;
    }

    private static long high(String checksum) {
        return Long.parseUnsignedLong(checksum, 0, 16, 16);
    }

    private static long low(String checksum) {
        return Long.parseUnsignedLong(checksum, 16, 32, 16);
    }

    int size() {
        return size + (hasZero ? 1 : 0);
    }

    /** Where the pair is, or would be. The bits of a checksum need no more mixing. */
    private static int slotOf(long[] pairs, long high, long low) {
        int mask = pairs.length - 1;
        int slot = (int) (2 * low) & mask;
        while ((pairs[slot] | pairs[slot + 1]) != 0 && (pairs[slot] != high || pairs[slot + 1] != low)) {
            slot = (slot + 2) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] old = pairs;
        long[] larger = new long[2 * old.length];
        for (int i = 0; i < old.length; i += 2) {
            if ((old[i] | old[i + 1]) != 0) {
                int slot = slotOf(larger, old[i], old[i + 1]);
                larger[slot] = old[i];
                larger[slot + 1] = old[i + 1];
            }
        }
        pairs = larger;
    }
}
