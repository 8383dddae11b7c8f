package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class StampsTest {

    private final ByteBuffer block = ByteBuffer.allocate(4096);

    @Test
    void aStampMatchesOnlyItsOwnNumberAndVersion() {
        Stamps.fill(block, 5, 7);
        assertThat(block.remaining()).isEqualTo(4096);
        assertThat(Stamps.matches(block, 5, 7)).isTrue();
        assertThat(Stamps.matches(block, 5, 8)).isFalse();
        assertThat(Stamps.matches(block, 6, 7)).isFalse();
        assertThat(Stamps.matches(block, 5, 0)).isFalse();
    }

    @Test
    void anyFlippedBitIsNoticed() {
        Stamps.fill(block, 5, 7);
        for (int at = 0; at < 4096; at++) {
            block.put(at, (byte) (block.get(at) ^ 0x10));
            assertThat(Stamps.matches(block, 5, 7)).isFalse();
            block.put(at, (byte) (block.get(at) ^ 0x10));
        }
    }

    @Test
    void versionZeroIsZeroes() {
        assertThat(Stamps.matches(block, 5, 0)).isTrue();
        block.put(4095, (byte) 1);
        assertThat(Stamps.matches(block, 5, 0)).isFalse();
    }
}
