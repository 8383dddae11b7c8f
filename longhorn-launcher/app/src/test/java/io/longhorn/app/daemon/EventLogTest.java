package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HealthState;
import io.longhorn.VolumeEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EventLogTest {

    private final EventLog log = new EventLog();

    @Test
    void eventsAreNumberedAndReadFromWhereOneWants() throws InterruptedException {
        log.tell("Attached", "orders", Map.of("frontend", "nbd"));
        log.tell(new VolumeEvent.HealthChanged("orders", Instant.EPOCH, HealthState.HEALTHY, HealthState.DEGRADED));
        assertThat(log.last()).isEqualTo(2);
        List<EventLog.Entry> all = log.after(0, Duration.ZERO);
        assertThat(all).extracting(EventLog.Entry::kind).containsExactly("Attached", "HealthChanged");
        assertThat(all.get(1).fields())
                .containsEntry("before", "healthy")
                .containsEntry("after", "degraded")
                .containsEntry("at", "1970-01-01T00:00:00Z");
        assertThat(log.after(1, Duration.ZERO)).singleElement().isEqualTo(all.get(1));
    }

    @Test
    void fieldsOfAnEventKeepTheirNamesAndTypes() throws InterruptedException {
        UUID replica = UUID.randomUUID();
        log.tell(new VolumeEvent.RebuildEnded(
                "orders", Instant.EPOCH, replica, "there", true, 7, Duration.ofSeconds(2), ""));
        assertThat(log.after(0, Duration.ZERO).get(0).fields())
                .containsEntry("replica", replica.toString())
                .containsEntry("inSync", true)
                .containsEntry("transferredBytes", 7L)
                .containsEntry("tookMillis", 2000L);
    }

    @Test
    void whoIsTooSlowMissesTheOldestAndSeesThatByTheirNumbers() throws InterruptedException {
        for (int i = 0; i < EventLog.KEPT_MAX + 5; i++) {
            log.tell("Attached", "orders", Map.of());
        }
        List<EventLog.Entry> found = log.after(0, Duration.ZERO);
        assertThat(found).hasSize(EventLog.KEPT_MAX);
        assertThat(found.get(0).number()).isEqualTo(6);
    }

    @Test
    void whoWaitsIsWokenByAnEventAndByTheEnd() throws Exception {
        CompletableFuture<List<EventLog.Entry>> waiting = CompletableFuture.supplyAsync(() -> awaited(0));
        log.tell("Attached", "orders", Map.of());
        assertThat(waiting.get(30, TimeUnit.SECONDS)).hasSize(1);
        CompletableFuture<List<EventLog.Entry>> last = CompletableFuture.supplyAsync(() -> awaited(1));
        log.close();
        assertThat(last.get(30, TimeUnit.SECONDS)).isEmpty();
        assertThat(log.isClosed()).isTrue();
    }

    private List<EventLog.Entry> awaited(long after) {
        try {
            return log.after(after, Duration.ofMinutes(1));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
