package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class VolumeDefaultsTest {

    @Test
    void findSnapshotGoesByName() {
        FakeVolume volume = new FakeVolume(4096);
        Snapshot before = volume.snapshot("before");
        volume.snapshot("after");

        assertThat(volume.findSnapshot("before")).containsSame(before);
        assertThat(volume.findSnapshot("never")).isEmpty();
    }

    @Test
    void awaitHealthyReturnsAtOnceWhenHealthy() throws InterruptedException {
        assertThat(new FakeVolume(4096).awaitHealthy(Duration.ZERO)).isTrue();
    }

    @Test
    void awaitHealthyReturnsWhenTheVolumeBecomesHealthy() throws Exception {
        FakeVolume volume = new FakeVolume(4096);
        volume.become(HealthState.DEGRADED);

        CompletableFuture<Boolean> healthy = CompletableFuture.supplyAsync(() -> {
            try {
                return volume.awaitHealthy(Duration.ofSeconds(20));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        while (volume.listenerCount() == 0) {
            Thread.onSpinWait();
        }
        volume.become(HealthState.HEALTHY);

        assertThat(healthy.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(volume.listenerCount()).isZero();
    }

    @Test
    void awaitHealthyGivesUpAtItsLimitAndUnsubscribes() throws InterruptedException {
        FakeVolume volume = new FakeVolume(4096);
        volume.become(HealthState.FAULTED);

        assertThat(volume.awaitHealthy(Duration.ofMillis(1))).isFalse();
        assertThat(volume.listenerCount()).isZero();
    }

    @Test
    void changedSinceCollectsAllPages() {
        FakeVolume volume = new FakeVolume(4096);
        List<Extent> changed = new ArrayList<>();
        for (int i = 0; i < 2 * Volume.EXTENTS_MAX; i++) {
            changed.add(new Extent(i * 8192L, 4096, ExtentState.DATA));
        }
        Snapshot older = new FakeSnapshot(volume, "older", List.of());
        Snapshot newer = new FakeSnapshot(volume, "newer", changed);

        assertThat(newer.changedSince(older)).isEqualTo(changed);
    }

    @Test
    void changedSinceIsEmptyWhenNothingChanged() {
        FakeVolume volume = new FakeVolume(4096);
        Snapshot older = volume.snapshot("older");

        assertThat(volume.snapshot("newer").changedSince(older)).isEmpty();
    }
}
