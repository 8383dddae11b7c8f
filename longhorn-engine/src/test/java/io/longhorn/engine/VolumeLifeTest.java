package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.EventSubscription;
import io.longhorn.HealthState;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.LonghornException;
import io.longhorn.OutOfRangeException;
import io.longhorn.QueueFullException;
import io.longhorn.ReplicaUnreachableException;
import io.longhorn.SnapshotLimitException;
import io.longhorn.SnapshotSpec;
import io.longhorn.SpaceUsage;
import io.longhorn.TimeLimitException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.TransferException;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeException;
import io.longhorn.VolumeLimits;
import io.longhorn.VolumeSpec;
import io.longhorn.VolumeStatistics;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A volume while servers go and come back, as a program watches it: health, events, limits, figures. */
@Timeout(60)
class VolumeLifeTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private final List<ReplicaServer> servers = new ArrayList<>();
    private Longhorn longhorn;

    @BeforeEach
    void start() throws IOException {
        LonghornConfig.Builder config = LonghornConfig.builder()
                .registry(directory.resolve("registry"))
                .connectTimeLimit(Duration.ofSeconds(1))
                .silenceRemoval(Duration.ofMillis(300))
                .lease(Duration.ofMillis(900))
                .reconnect(Duration.ofMillis(20))
                .operationTimeLimit(Duration.ofSeconds(2))
                .queueDepthMax(4);
        for (int i = 0; i < 2; i++) {
            servers.add(server(i, 0));
            config.replicaServer(servers.get(i).address().toString());
        }
        longhorn = Longhorn.connect(config.build());
    }

    @AfterEach
    void stop() {
        longhorn.close();
        servers.forEach(ReplicaServer::close);
    }

    private ReplicaServer server(int index, int port) throws IOException {
        return ReplicaServer.builder()
                .directory(directory.resolve("disk-" + index))
                .listen(new HostPort("127.0.0.1", port))
                .start();
    }

    /** Stops it and starts it again where it was. */
    private void restart(int index) throws IOException {
        servers.set(index, server(index, servers.get(index).address().port()));
    }

    private static VolumeSpec.Builder spec() {
        return VolumeSpec.named("orders").sizeBytes(4 << 20).replicas(2);
    }

    private static ByteBuffer block(int value) {
        return ByteBuffer.allocate(BLOCK).put(0, (byte) value);
    }

    /** The next event of that kind. */
    private static <E extends VolumeEvent> E next(BlockingQueue<VolumeEvent> events, Class<E> kind)
            throws InterruptedException {
        while (true) {
            VolumeEvent event = events.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
            assertThat(event).as("event of kind " + kind.getSimpleName()).isNotNull();
            assertThat(event.volume()).isEqualTo("orders");
            if (kind.isInstance(event)) {
                return kind.cast(event);
            }
        }
    }

    @Test
    void healthFollowsItsReplicasAndEventsTellOfIt() throws Exception {
        Volume volume = longhorn.create(spec().build());
        BlockingQueue<VolumeEvent> events = new LinkedBlockingQueue<>();
        EventSubscription subscription = volume.subscribe(events::add);
        EventSubscription faulty = volume.subscribe(event -> {
            throw new IllegalStateException("a listener that fails");
        });
        assertThat(volume.health().state()).isEqualTo(HealthState.HEALTHY);
        assertThat(volume.health().replicasInSync()).isEqualTo(2);
        volume.write(0, block(1));

        servers.get(1).close();
        volume.write(0, block(2));
        assertThat(next(events, VolumeEvent.HealthChanged.class).after()).isEqualTo(HealthState.DEGRADED);
        VolumeEvent.ReplicaLost lost = next(events, VolumeEvent.ReplicaLost.class);
        assertThat(lost.location()).isEqualTo(servers.get(1).address().toString());
        assertThat(lost.reason()).isNotEmpty();
        assertThat(volume.health().state()).isEqualTo(HealthState.DEGRADED);
        assertThat(volume.health().replicasInSync()).isEqualTo(1);

        restart(1);
        assertThat(next(events, VolumeEvent.RebuildStarted.class).replica()).isEqualTo(lost.replica());
        VolumeEvent.RebuildEnded ended = next(events, VolumeEvent.RebuildEnded.class);
        assertThat(ended.inSync()).isTrue();
        assertThat(volume.awaitHealthy(LIMIT)).isTrue();
        assertThat(volume.replicas().list())
                .hasSize(2)
                .allMatch(replica -> replica.state() == io.longhorn.ReplicaState.IN_SYNC);

        subscription.close();
        faulty.close();
        events.clear();
        servers.get(0).close();
        volume.write(0, block(3));
        assertThat(events).isEmpty();
        restart(0);
    }

    @Test
    void volumeWithoutAnyServerSaysSoAndGoesOnWhenTheyAreBack() throws Exception {
        Volume volume = longhorn.create(spec().build());
        volume.write(0, block(1));
        volume.flush();
        servers.forEach(ReplicaServer::close);
        assertThatThrownBy(() -> volume.write(0, block(2))).isInstanceOf(VolumeException.class);
        assertThatThrownBy(() -> volume.read(BLOCK, ByteBuffer.allocate(BLOCK))).isInstanceOf(LonghornException.class);
        assertThat(volume.health().state()).isEqualTo(HealthState.FAULTED);
        assertThatThrownBy(() -> volume.allocation(0, BLOCK))
                .as("waits as a read does")
                .isInstanceOf(TimeLimitException.class);
        assertThatThrownBy(() -> longhorn.create(
                        VolumeSpec.named("other").sizeBytes(BLOCK).replicas(2).build()))
                .isInstanceOf(TooFewReplicasException.class)
                .hasMessageContaining("2")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .hasSize(2)
                        .allMatch(ReplicaUnreachableException.class::isInstance));
        restart(0);
        restart(1);
        assertThat(volume.awaitHealthy(LIMIT)).isTrue();
        ByteBuffer read = ByteBuffer.allocate(BLOCK);
        volume.read(0, read);
        assertThat(read.get(0)).isBetween((byte) 1, (byte) 2);
    }

    @Test
    void belowTheMinimumOfReplicasWritesAreRefusedAndReadsAreNot() throws Exception {
        Volume volume = longhorn.create(spec().minInSync(2).build());
        volume.write(0, block(1));
        servers.get(1).close();
        // Nobody knows yet that it is gone: this one finds out.
        writeUntilRefused(volume);
        assertThatThrownBy(() -> volume.snapshot("first")).isInstanceOf(TooFewReplicasException.class);
        assertThatThrownBy(() -> volume.discard(0, BLOCK))
                .isInstanceOf(TooFewReplicasException.class)
                .hasMessageContaining("2");
        ByteBuffer read = ByteBuffer.allocate(BLOCK);
        volume.read(0, read);
        assertThat(read.get(0)).isPositive();
        volume.flush();
        restart(1);
        assertThat(volume.awaitHealthy(LIMIT)).isTrue();
        volume.write(0, block(3));
    }

    private static void writeUntilRefused(Volume volume) {
        for (int i = 0; i < 1000; i++) {
            try {
                volume.write(0, block(2));
            } catch (TooFewReplicasException e) {
                assertThat(e).hasMessageContaining("orders");
                return;
            }
        }
        throw new AssertionError("1000 writes with a replica too few");
    }

    @Test
    void limitsAreChangedWhileTheVolumeIsInUse() {
        Volume volume = longhorn.create(spec().build());
        assertThat(volume.limits()).isEqualTo(VolumeLimits.NONE);
        volume.write(0, block(1));
        assertThat(volume.statistics().throttledNanos()).isZero();

        VolumeLimits slow = VolumeLimits.NONE.withOperationsPerSecond(100, 1);
        volume.limits(slow);
        assertThat(volume.limits()).isEqualTo(slow);
        // All at once: a machine that takes longer for each than the limit would not be throttled.
        List<CompletionStage<Void>> begun = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            begun.add(volume.writeAsync(0, block(i)));
            begun.add(volume.readAsync(0, ByteBuffer.allocate(BLOCK)));
        }
        begun.forEach(each -> each.toCompletableFuture().join());
        assertThat(volume.statistics().throttledNanos()).isPositive();

        volume.limits(VolumeLimits.NONE.withBytesPerSecond(32 * BLOCK, BLOCK));
        long before = volume.statistics().throttledNanos();
        volume.write(0, ByteBuffer.allocate(32 * BLOCK));
        // It owes most of a second.
        volume.write(0, block(0));
        assertThat(volume.statistics().throttledNanos()).isGreaterThan(before);

        volume.limits(VolumeLimits.NONE);
        before = volume.statistics().throttledNanos();
        for (int i = 0; i < 100; i++) {
            volume.write(0, block(i));
        }
        assertThat(volume.statistics().throttledNanos()).isEqualTo(before);
        volume.limits(slow);
        volume.close();
        assertThat(longhorn.open("orders").limits()).isEqualTo(slow);
    }

    @Test
    void figuresCountWhatWasDone() {
        Volume volume = longhorn.create(spec().build());
        volume.write(0, ByteBuffer.allocate(3 * BLOCK));
        volume.write(0, block(1));
        volume.read(0, ByteBuffer.allocate(2 * BLOCK));
        volume.flush();
        volume.discard(BLOCK, BLOCK);
        VolumeStatistics figures = volume.statistics();
        assertThat(figures.writes()).isEqualTo(2);
        assertThat(figures.writtenBytes()).isEqualTo(4L * BLOCK);
        assertThat(figures.reads()).isEqualTo(1);
        assertThat(figures.readBytes()).isEqualTo(2L * BLOCK);
        assertThat(figures.flushes()).isEqualTo(1);
        assertThat(figures.discards()).isEqualTo(1);
        SpaceUsage space = volume.spaceUsage();
        assertThat(space.nominalBytes()).isEqualTo(4 << 20);
    }

    @Test
    void queueThatIsFullRefuses() {
        Volume volume = longhorn.create(spec().build());
        volume.limits(VolumeLimits.NONE.withOperationsPerSecond(1000, 1));
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            writes.add(volume.writeAsync(0, block(i)).toCompletableFuture());
        }
        int refused = 0;
        for (CompletableFuture<Void> write : writes) {
            try {
                write.join();
            } catch (CompletionException e) {
                assertThat(e).hasCauseInstanceOf(QueueFullException.class);
                refused++;
            }
        }
        assertThat(refused).isPositive().isLessThan(400);
        volume.limits(VolumeLimits.NONE);
        volume.write(0, block(1));
    }

    @Test
    void snapshotsHaveLabelsAndANumberThatIsEnough() {
        Volume volume = longhorn.create(spec().build());
        volume.snapshot(SnapshotSpec.named("first")
                .labels(Map.of("why", "before the update"))
                .build());
        assertThat(volume.snapshots().get(0).labels()).isEqualTo(Map.of("why", "before the update"));
        for (int i = 1; i < 250; i++) {
            volume.snapshot("snapshot-" + i);
        }
        assertThatThrownBy(() -> volume.snapshot("one-more"))
                .isInstanceOf(SnapshotLimitException.class)
                .hasMessageContaining("250");
        assertThat(volume.snapshots()).hasSize(250);
        volume.snapshots().get(100).delete();
        assertThat(volume.snapshot("one-more").parent().orElseThrow().name()).isEqualTo("snapshot-249");
    }

    @Test
    void filesThatCannotBeCopiedAreNamedAndKept() throws IOException {
        Volume volume = longhorn.create(spec().build());
        Path missing = directory.resolve("missing/image");
        assertThatThrownBy(() -> volume.importFrom(missing))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining(missing.toString());
        assertThatThrownBy(() -> volume.exportTo(missing))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining(missing.toString());
        Path large = Files.write(directory.resolve("large"), new byte[(4 << 20) + 1]);
        assertThatThrownBy(() -> volume.importFrom(large)).isInstanceOf(OutOfRangeException.class);
        Path mine = Files.writeString(directory.resolve("mine"), "mine");
        volume.write(0, block(7));
        assertThatThrownBy(() -> volume.exportTo(mine)).isInstanceOf(TransferException.class);
        assertThat(mine).hasContent("mine");
    }
}
