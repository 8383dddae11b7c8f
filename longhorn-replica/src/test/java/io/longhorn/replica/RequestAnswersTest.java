package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.PendingBlocks;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class RequestAnswersTest {
    private final LayerNode layer = new LayerNode(LayerId.ROOT, null, 1L << 40);

    @Test
    void littleIsCountedExactly() throws IOException {
        assertThat(RequestAnswers.journaledData(layer)).isZero();
        put(0, 1000, BlockState.DATA);
        put(1000, 500, BlockState.ZEROED);

        assertThat(RequestAnswers.journaledData(layer)).isEqualTo(1000);
    }

    @Test
    void muchIsEstimated() throws IOException {
        put(0, 60_000, BlockState.DATA);
        put(60_000, 30_000, BlockState.ZEROED);

        assertThat(RequestAnswers.journaledData(layer)).isBetween(55_000L, 65_000L);
    }

    private void put(long first, int count, BlockState state) {
        for (int i = 0; i < count; i++) {
            // Scattered, as random writes are.
            long block = (first + i) * 2557 % (1 << 28);
            layer.pending().put(block, MapEntry.of(state, i + 1), 0, PendingBlocks.NO_POSITION);
        }
    }
}
