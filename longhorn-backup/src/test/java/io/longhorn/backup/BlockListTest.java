package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class BlockListTest {
    private static final int BLOCK = 2 << 20;

    private static BlockReference block(long index, int seed) {
        byte[] checksum = new byte[32];
        new Random(index * 31 + seed).nextBytes(checksum);
        return new BlockReference(index * BLOCK, HexFormat.of().formatHex(checksum));
    }

    /** Blocks at some of so many offsets. */
    private static List<BlockReference> some(int offsets, int seed) {
        Random random = new Random(seed);
        List<BlockReference> some = new ArrayList<>();
        for (int i = 0; i < offsets; i++) {
            if (random.nextBoolean()) {
                some.add(block(i, seed));
            }
        }
        return some;
    }

    @Test
    void isTheListThatItWasMadeOf() {
        for (int offsets : new int[] {0, 1, 2, 30, 1000}) {
            List<BlockReference> model = some(offsets, offsets);
            BlockList list = BlockList.copyOf(model);
            assertThat(list).isEqualTo(model).hasSameHashCodeAs(model);
            assertThat(List.copyOf(list)).isEqualTo(model);
            assertThat(BlockList.copyOf(list)).isSameAs(list);
        }
        assertThatThrownBy(() -> BlockList.copyOf(List.of()).get(0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void allDigitsOfAChecksumAreKept() {
        String checksum = "0123456789abcdef" + "fedcba9876543210" + "8000000000000000" + "000000000000000f";
        BlockList list = BlockList.copyOf(List.of(new BlockReference(7, checksum)));
        assertThat(list.get(0)).isEqualTo(new BlockReference(7, checksum));
        assertThat(list.checksumWord(0, 0)).isEqualTo(0x0123456789abcdefL);
        assertThat(list.checksumWord(0, 3)).isEqualTo(15);
        byte[] digits = new byte[64];
        list.checksumDigits(0, digits);
        assertThat(digits).asString().isEqualTo(checksum);
    }

    @Test
    void cannotBeChanged() {
        BlockList list = BlockList.copyOf(some(10, 3));
        BlockReference other = block(100, 0);
        assertThatThrownBy(() -> list.set(0, other)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> list.add(other)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> list.remove(0)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void aListStaysAsItIsWhenItsBuilderGoesOn() {
        BlockList.Builder builder = BlockList.builder(2);
        List<BlockReference> model = new ArrayList<>();
        List<BlockList> built = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            built.add(builder.build());
            model.add(block(i, 0));
            builder.add(block(i, 0));
        }
        for (int i = 0; i < 40; i++) {
            assertThat(built.get(i)).isEqualTo(model.subList(0, i));
        }
    }

    @Test
    void offsetsAscend() {
        BlockList.Builder builder = BlockList.builder().add(block(3, 0));
        assertThatThrownBy(() -> builder.add(block(3, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("6291456 follows 6291456");
        assertThatThrownBy(() -> builder.add(block(2, 0))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BlockList.builder().add(-1, new long[4], 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
        assertThat(builder.build()).as("what was refused").containsExactly(block(3, 0));
    }

    @Test
    void blocksAreFoundByTheirOffsets() {
        List<BlockReference> model = some(200, 5);
        BlockList list = BlockList.copyOf(model);
        for (int i = -1; i <= 200; i++) {
            long offset = i * (long) BLOCK;
            assertThat(list.at(offset))
                    .isEqualTo(model.stream()
                            .filter(block -> block.offsetBytes() == offset)
                            .findAny());
            assertThat(list.at(offset + 1)).isEmpty();
        }
    }

    @Test
    void newBlocksTakeThePlaceOfOldOnes() {
        for (int seed = 0; seed < 50; seed++) {
            List<BlockReference> old = some(seed % 9 * 5, seed);
            List<BlockReference> fresh = some(seed % 7 * 5, seed + 1000);
            TreeMap<Long, BlockReference> model = new TreeMap<>();
            old.forEach(block -> model.put(block.offsetBytes(), block));
            fresh.forEach(block -> model.put(block.offsetBytes(), block));
            assertThat(BlockList.copyOf(old).with(BlockList.copyOf(fresh))).containsExactlyElementsOf(model.values());
        }
    }

    @Test
    void blocksAreChosenByTheirOffsets() {
        List<BlockReference> model = some(100, 8);
        assertThat(BlockList.copyOf(model).where(offset -> offset % (3 * BLOCK) == 0))
                .isNotEmpty()
                .isEqualTo(model.stream()
                        .filter(block -> block.offsetBytes() % (3 * BLOCK) == 0)
                        .toList());
    }
}
