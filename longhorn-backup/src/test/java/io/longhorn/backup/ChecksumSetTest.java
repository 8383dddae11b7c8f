package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.HexFormat;
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
