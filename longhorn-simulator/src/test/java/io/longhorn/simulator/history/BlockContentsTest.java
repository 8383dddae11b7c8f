package io.longhorn.simulator.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class BlockContentsTest {
    private final ByteBuffer buffer = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);

    @Test
    void cellTellsItsWriteAndItsPlace() {
        BlockContents.fill(buffer, 0, 42, 7, 3);
        assertThat(BlockContents.recognize(buffer, 0, 7, 3)).isEqualTo(42);
        assertThat(BlockContents.recognize(buffer, 0, 7, 4)).isEqualTo(-1);
        assertThat(BlockContents.recognize(buffer, 0, 6, 3)).isEqualTo(-1);
        BlockContents.fill(buffer, 0, 0, 7, 3);
        assertThat(BlockContents.recognize(buffer, 0, 1, 1)).isZero();
    }

    @Test
    void everyFlippedBitIsSeen() {
        for (int id : new int[] {0, 42}) {
            BlockContents.fill(buffer, 0, id, 7, 3);
            for (int bit = 0; bit < 512 * 8; bit++) {
                buffer.put(bit / 8, (byte) (buffer.get(bit / 8) ^ 1 << bit % 8));
                assertThat(BlockContents.recognize(buffer, 0, 7, 3)).isNotEqualTo(id);
                buffer.put(bit / 8, (byte) (buffer.get(bit / 8) ^ 1 << bit % 8));
            }
        }
    }

    @Test
    void sameCellsHaveTheSameNumber() {
        BlockContents contents = new BlockContents();
        int a = contents.written(BlockContents.ZERO, 0b1, 5);
        assertThat(contents.written(contents.written(0, 0b11, 5), 0b10, 0)).isEqualTo(a);
        assertThat(contents.agree(a, BlockContents.ZERO, 0b10)).isTrue();
        assertThat(contents.agree(a, BlockContents.ZERO, 0b11)).isFalse();
    }
}
