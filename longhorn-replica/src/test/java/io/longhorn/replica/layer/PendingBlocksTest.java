package io.longhorn.replica.layer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PendingBlocksTest {
    private final PendingBlocks pending = new PendingBlocks();

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 1000})
    void resetForgetsEverythingHoweverMuchItWas(int blocks) {
        fill(1000);
        pending.reset();
        fill(blocks);
        pending.ranges().add(5000, 5010, 7);

        pending.reset();

        assertThat(pending.isEmpty()).isTrue();
        assertThat(pending.tableBlocks()).isEmpty();
        assertThat(pending.sequenceOf(2)).isZero();
        fill(2);
        assertThat(pending.tableBlocks()).containsExactly(0, 1);
    }

    private void fill(int blocks) {
        for (int block = 0; block < blocks; block++) {
            pending.put(block, block + 1, 0, PendingBlocks.NO_POSITION);
        }
    }
}
