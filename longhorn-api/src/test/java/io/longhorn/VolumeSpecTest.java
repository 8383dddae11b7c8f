package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VolumeSpecTest {

    @Test
    void defaultsAreThoseOfTheDocumentation() {
        VolumeSpec spec = VolumeSpec.named("orders").build();

        assertThat(spec.name()).isEqualTo("orders");
        assertThat(spec.sizeBytes()).isEmpty();
        assertThat(spec.replicas()).isEqualTo(3);
        assertThat(spec.durability()).isEqualTo(Durability.ON_FLUSH);
        assertThat(spec.allowDegraded()).isFalse();
        assertThat(spec.minInSync()).isEqualTo(1);
        assertThat(spec.limits()).isEqualTo(VolumeLimits.NONE);
        assertThat(spec.labels()).isEmpty();
    }

    @Test
    void whatIsSetIsThere() {
        VolumeLimits limits = VolumeLimits.NONE.withOperationsPerSecond(100).withBytesPerSecond(1 << 20, 4 << 20);
        VolumeSpec spec = VolumeSpec.named("orders")
                .sizeBytes(20L << 30)
                .replicas(5)
                .durability(Durability.WRITE_THROUGH)
                .allowDegraded(true)
                .minInSync(2)
                .limits(limits)
                .labels(Map.of("team", "shop"))
                .build();

        assertThat(spec.sizeBytes()).hasValue(20L << 30);
        assertThat(spec.replicas()).isEqualTo(5);
        assertThat(spec.durability()).isEqualTo(Durability.WRITE_THROUGH);
        assertThat(spec.allowDegraded()).isTrue();
        assertThat(spec.minInSync()).isEqualTo(2);
        assertThat(spec.limits()).isEqualTo(new VolumeLimits(100, 100, 1 << 20, 4 << 20));
        assertThat(spec.labels()).containsExactly(Map.entry("team", "shop"));
        assertThat(spec.toString()).contains("orders", "21474836480", "WRITE_THROUGH");
        assertThat(spec.withSize(4096).toString()).isEqualTo(spec.toString().replace("21474836480", "4096"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "-ab", ".ab", "_ab", "a b", "a/b", "ä1", "a\n", "ab\n"})
    void wrongNamesAreRefusedAndQuoted(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> VolumeSpec.named(name))
                .withMessageContaining("\"" + name + "\"");
        assertThatIllegalArgumentException().isThrownBy(() -> SnapshotSpec.named(name));
    }

    @Test
    void namesHaveTwoTo63Characters() {
        assertThat(VolumeSpec.named("a1").build().name()).isEqualTo("a1");
        assertThat(SnapshotSpec.named("0._-Z").build().name()).isEqualTo("0._-Z");
        assertThat(VolumeSpec.named("x".repeat(63)).build().name()).hasSize(63);
        assertThatIllegalArgumentException().isThrownBy(() -> VolumeSpec.named("x".repeat(64)));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -4096, 1, 4095, 4097, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 50) + 4096})
    void wrongSizesAreRefusedAndNamed(long size) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> VolumeSpec.named("orders").sizeBytes(size))
                .withMessageContaining(Long.toString(size));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 21})
    void wrongReplicaCountsAreRefused(int count) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> VolumeSpec.named("orders").replicas(count))
                .withMessageContaining("1 to 20");
    }

    @Test
    void minInSyncBeyondReplicasIsRefusedNamingBoth() {
        VolumeSpec.Builder builder = VolumeSpec.named("orders").replicas(2).minInSync(3);

        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContaining("minInSync 3")
                .withMessageContaining("replicas 2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> VolumeSpec.named("orders").minInSync(0));
    }

    @Test
    void labelsAreCopiedAndBounded() {
        Map<String, String> labels = new HashMap<>(Map.of("b", "2", "a", "1"));
        SnapshotSpec spec = SnapshotSpec.named("before").labels(labels).build();
        labels.put("c", "3");

        assertThat(spec.labels()).containsExactly(Map.entry("a", "1"), Map.entry("b", "2"));
        SnapshotSpec.Builder builder = SnapshotSpec.named("before");
        assertThatIllegalArgumentException().isThrownBy(() -> builder.labels(Map.of("", "x")));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.labels(Map.of("ä".repeat(65), "x")));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.labels(Map.of("key", "x".repeat(1025))));
        Map<String, String> most = Map.of("k1", "x".repeat(1024), "k2", "x".repeat(1020));
        assertThat(builder.labels(most).build().labels()).hasSize(2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.labels(Map.of("k1", "x".repeat(1024), "k2", "x".repeat(1021))))
                .withMessageContaining("were 2049");
        for (int i = 0; i < 65; i++) {
            labels.put("key" + i, "");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> builder.labels(labels));
    }

    @Test
    void limitsNeedABurstExactlyWhenTheyHaveARate() {
        assertThatIllegalArgumentException().isThrownBy(() -> new VolumeLimits(-1, 0, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new VolumeLimits(10, 0, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new VolumeLimits(0, 0, 0, 5));
        assertThat(VolumeLimits.NONE.withBytesPerSecond(7).withBytesPerSecond(0))
                .isEqualTo(VolumeLimits.NONE);
    }

    @Test
    void salvageSpecsWidenStepByStep() {
        UUID replica = new UUID(1, 2);

        assertThat(SalvageSpec.careful().replica()).isEmpty();
        assertThat(SalvageSpec.careful().forced()).isFalse();
        assertThat(SalvageSpec.careful().fromReplica(replica).evenIfInUse().replica())
                .contains(replica);
        assertThat(SalvageSpec.careful().evenIfInUse().fromReplica(replica).forced())
                .isTrue();
    }
}
