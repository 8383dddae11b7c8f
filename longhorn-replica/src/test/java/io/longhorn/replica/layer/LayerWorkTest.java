package io.longhorn.replica.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.BlockState;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class LayerWorkTest {
    private final LayerRig rig = new LayerRig();
    private final LayerNode layer = new LayerNode(LayerRig.LAYER, null, LayerRig.SIZE_BYTES);
    private final LayerWork work = new LayerWork(layer, rig.layer, 1);

    LayerWorkTest() throws IOException {}

    @Test
    void zeroesNeverShowAgainWhereNewerDataWasMoved() {
        layer.pending().ranges().add(0, 10, 5);
        layer.pending().put(3, MapEntry.of(BlockState.DATA, 6), 1, 0);
        work.addData(3, MapEntry.of(BlockState.DATA, 6), 1, 0);

        work.dropPending(6, 1);

        assertThat(layer.pending().sequenceOf(3)).isZero();
    }

    @Test
    void newerZeroesStayPending() {
        layer.pending().put(3, MapEntry.of(BlockState.DATA, 6), 1, 0);
        layer.pending().ranges().add(0, 10, 7);
        work.addData(3, MapEntry.of(BlockState.DATA, 6), 1, 0);

        work.dropPending(6, 1);

        assertThat(layer.pending().sequenceOf(3)).isEqualTo(7);
    }
}
