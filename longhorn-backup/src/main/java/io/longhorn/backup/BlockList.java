package io.longhorn.backup;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.RandomAccess;
import java.util.function.LongPredicate;

/** Blocks of a backup by ascending offset, 40 bytes for each; the {@link BlockReference}s are made when they are asked for. Immutable. */
public final class BlockList extends AbstractList<BlockReference> implements RandomAccess {
    private static final int WORDS = BlockChecksum.WORDS;

    private final long[] offsets;
    private final long[] checksums;

    private BlockList(long[] offsets, long[] checksums) {
        this.offsets = offsets;
        this.checksums = checksums;
    }

    /**
     * The same blocks.
     *
     * @throws IllegalArgumentException if their offsets do not ascend
     */
    public static BlockList copyOf(List<BlockReference> blocks) {
        if (blocks instanceof BlockList list) {
            return list;
        }
        Builder builder = new Builder(blocks.size());
        blocks.forEach(builder::add);
        return builder.build();
    }

    /** Of a list of any length. */
    public static Builder builder() {
        return new Builder(0);
    }

    /** Of a list of about so many blocks. */
    static Builder builder(int expected) {
        return new Builder(expected);
    }

    @Override
    public int size() {
        return offsets.length;
    }

    @Override
    public BlockReference get(int index) {
        Objects.checkIndex(index, offsets.length);
        return new BlockReference(offsets[index], BlockChecksum.text(checksums, WORDS * index));
    }

    /** The block at an offset, found in logarithmic time. */
    public Optional<BlockReference> at(long offsetBytes) {
        int index = Arrays.binarySearch(offsets, offsetBytes);
        return index < 0 ? Optional.empty() : Optional.of(get(index));
    }

    long offsetBytes(int index) {
        return offsets[index];
    }

    /** A part of a block's checksum; word 0 is its first 16 digits. */
    long checksumWord(int index, int word) {
        return checksums[WORDS * index + word];
    }

    /** Puts the digits of a block's checksum into an array of as many bytes. */
    void checksumDigits(int index, byte[] digits) {
        BlockChecksum.putDigits(checksums, WORDS * index, digits);
    }

    /** Those at offsets of which this is said. */
    BlockList where(LongPredicate isMeant) {
        Builder some = new Builder(0);
        for (int i = 0; i < size(); i++) {
            if (isMeant.test(offsets[i])) {
                some.add(this, i);
            }
        }
        return some.build();
    }

    /** These and those; where both have a block, that one. */
    BlockList with(BlockList those) {
        Builder both = new Builder(size() + those.size());
        int i = 0;
        int j = 0;
        while (i < size() || j < those.size()) {
            if (j == those.size() || (i < size() && offsets[i] < those.offsets[j])) {
                both.add(this, i++);
            } else {
                if (i < size() && offsets[i] == those.offsets[j]) {
                    i++;
                }
                both.add(those, j++);
            }
        }
        return both.build();
    }

    /** Takes blocks in the order of their offsets. One thread at a time. */
    public static final class Builder {
        private static final int SMALLEST = 16;

        private long[] offsets;
        private long[] checksums;
        private int size;

        private Builder(int expected) {
            offsets = new long[expected];
            checksums = new long[WORDS * expected];
        }

        /**
         * Adds a block.
         *
         * @throws IllegalArgumentException if it does not come after the one that was added last
         */
        public Builder add(BlockReference block) {
            long[] checksum = new long[WORDS];
            BlockChecksum.parse(block.checksum(), checksum);
            return add(block.offsetBytes(), checksum, 0);
        }

        Builder add(BlockList from, int index) {
            return add(from.offsets[index], from.checksums, WORDS * index);
        }

        /** With the checksum whose words begin there. */
        Builder add(long offsetBytes, long[] checksum, int firstWord) {
            BlockReference.checkOffset(offsetBytes);
            if (size > 0 && offsetBytes <= offsets[size - 1]) {
                throw new IllegalArgumentException(
                        "the offsets of blocks ascend, but " + offsetBytes + " follows " + offsets[size - 1]);
            }
            if (size == offsets.length) {
                int capacity = Math.max(SMALLEST, size + (size >> 1));
                offsets = Arrays.copyOf(offsets, capacity);
                checksums = Arrays.copyOf(checksums, WORDS * capacity);
            }
            offsets[size] = offsetBytes;
            System.arraycopy(checksum, firstWord, checksums, WORDS * size, WORDS);
            size++;
            return this;
        }

        /** A list of what was added until now. */
        public BlockList build() {
            // Full arrays can be given away: whoever adds to them grows them first, which copies them.
            if (size < offsets.length) {
                offsets = Arrays.copyOf(offsets, size);
                checksums = Arrays.copyOf(checksums, WORDS * size);
            }
            return new BlockList(offsets, checksums);
        }
    }
}
