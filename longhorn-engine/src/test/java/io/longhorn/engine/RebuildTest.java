package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RebuildTest {
    private static final long COMMON = 44;

    private static Message.Layer layer(long sequence, boolean removed) {
        LayerId id = sequence == 0 ? LayerId.ROOT : new LayerId(1, sequence);
        return new Message.Layer(id, LayerId.LIVE, removed ? 43 : 0, "", false, removed, 0, 4096, 0, Map.of());
    }

    private static Message.StatusOk target(long committed, Message.Layer... layers) {
        return new Message.StatusOk(4096, committed, committed, committed, 0, 0, List.of(layers));
    }

    @Test
    void deletedSnapshotOfATargetThatWentOnAloneIsNotTrusted() {
        Message.StatusOk target = target(47, layer(0, true), layer(43, false));
        assertThat(Rebuild.gaveBackForLostHistory(target, List.of(layer(0, true), layer(43, false)), COMMON))
                .isTrue();
    }

    @Test
    void layerThatSuchATargetMergedAwayIsMissed() {
        Message.StatusOk target = target(47, layer(43, false));
        assertThat(Rebuild.gaveBackForLostHistory(target, List.of(layer(0, false), layer(43, false)), COMMON))
                .isTrue();
    }

    @Test
    void targetWithoutLostConfirmedRecordsCopiesOnlyChanges() {
        Message.StatusOk target = target(COMMON, layer(0, true), layer(43, false));
        assertThat(Rebuild.gaveBackForLostHistory(target, List.of(layer(0, true), layer(43, false)), COMMON))
                .isFalse();
    }
}
