package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ChecksumSetTest {

    @Test
    void holdsWhatWasAdded() {
        Random random = new Random(3);
        ChecksumSet set = new ChecksumSet();
        Set<String> model = new HashSet<>();
        byte[] bytes = new byte[32];
        for (int i = 0; i < 20_000; i++) {
            random.nextBytes(bytes);
            String checksum = HexFormat.of().formatHex(bytes);
            assertThat(set.contains(checksum)).isFalse();
            assertThat(set.add(checksum)).isTrue();
            assertThat(set.add(checksum)).isFalse();
            model.add(checksum);
        }
        assertThat(set.size()).isEqualTo(model.size());
        assertThat(model).allMatch(set::contains);
    }

    @Test
    void holdsTheChecksumsOfBlocksThatWereAdded() {
        BlockList blocks = BlockList.copyOf(List.of(
                new BlockReference(0, "0123456789abcdef".repeat(4)),
                new BlockReference(1, "f".repeat(64)),
                new BlockReference(2, "0".repeat(64)),
                new BlockReference(3, "f".repeat(64))));
        ChecksumSet set = new ChecksumSet();
        set.addAll(blocks);
        assertThat(set.size()).isEqualTo(3);
        assertThat(blocks).allMatch(block -> set.contains(block.checksum()));
        assertThat(set.contains("0123456789abcdee".repeat(4))).isFalse();
    }

    @Test
    void theChecksumOfZeroesOnlyIsOneToo() {
        ChecksumSet set = new ChecksumSet();
        String zero = "0".repeat(64);
        assertThat(set.contains(zero)).isFalse();
        assertThat(set.add(zero)).isTrue();
        assertThat(set.add(zero)).isFalse();
        assertThat(set.contains(zero)).isTrue();
        assertThat(set.size()).isEqualTo(1);
    }
}
