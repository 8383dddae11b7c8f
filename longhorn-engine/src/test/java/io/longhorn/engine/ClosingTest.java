package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.FencedException;
import io.longhorn.HealthState;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Volume;
import io.longhorn.VolumeClosedException;
import io.longhorn.VolumeInUseException;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ends of volumes and calls: closing, interrupts, another engine, many threads. */
@Timeout(60)
class ClosingTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;

    @TempDir
    Path directory;

    private static ByteBuffer filled(int value) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        while (block.hasRemaining()) {
            block.put((byte) value);
        }
        return block.flip();
    }

    private static int first(Volume volume, long block) {
        ByteBuffer target = ByteBuffer.allocate(BLOCK);
        volume.read(block * BLOCK, target);
        return target.get(0);
    }

    private static VolumeSpec spec(String name) {
        return VolumeSpec.named(name).sizeBytes(1 << 20).build();
    }

    @Test
    void closingWaitsForWhatIsUnderWay() {
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            for (int i = 0; i < 200; i++) {
                writes.add(volume.writeAsync((long) i * BLOCK, filled(i)).toCompletableFuture());
            }
            volume.close();
            assertThat(writes).allMatch(write -> write.isDone() && !write.isCompletedExceptionally());
            Volume again = longhorn.open("orders");
            assertThat(first(again, 199)).isEqualTo((byte) 199);
            for (int i = 0; i < 100; i++) {
                writes.add(again.writeAsync((long) i * BLOCK, filled(i + 1)).toCompletableFuture());
            }
        }
        assertThat(writes).allMatch(write -> write.isDone() && !write.isCompletedExceptionally());
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            assertThat(first(longhorn.open("orders"), 99)).isEqualTo(100);
        }
    }

    @Test
    void interruptNeitherLosesAWriteNorClosesAFile() throws Exception {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            AtomicReference<Throwable> failure = new AtomicReference<>();
            CountDownLatch started = new CountDownLatch(1);
            Thread writer = new Thread(() -> {
                try {
                    Thread.currentThread().interrupt();
                    for (int i = 0; i < 200; i++) {
                        volume.write((long) i * BLOCK, filled(i));
                        started.countDown();
                        if (!Thread.interrupted()) {
                            throw new AssertionError("the interrupt is gone");
                        }
                        Thread.currentThread().interrupt();
                        volume.flush();
                        assertThat(first(volume, i)).isEqualTo((byte) i);
                        // Nobody waits for this one, so whoever calls it might run what it takes as well.
                        CompletableFuture<Void> again =
                                volume.writeAsync((long) i * BLOCK, filled(i)).toCompletableFuture();
                        while (!again.isDone()) {
                            Thread.onSpinWait();
                        }
                        again.join();
                    }
                    volume.snapshot("after");
                    assertThat(Thread.currentThread().isInterrupted()).isTrue();
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            writer.start();
            started.await();
            while (writer.isAlive()) {
                writer.interrupt();
                Thread.onSpinWait();
            }
            assertThat(failure.get()).isNull();
            assertThat(volume.health().state()).isEqualTo(HealthState.HEALTHY);
            assertThat(volume.snapshots()).hasSize(1);
            for (int i = 0; i < 200; i++) {
                assertThat(first(volume, i)).isEqualTo((byte) i);
            }
        }
    }

    private List<ReplicaServer> servers(int count) throws IOException {
        List<ReplicaServer> servers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            servers.add(ReplicaServer.builder()
                    .directory(Files.createDirectories(directory.resolve("disk-" + i)))
                    .listen(new HostPort("127.0.0.1", 0))
                    .start());
        }
        return servers;
    }

    private Longhorn connect(List<ReplicaServer> servers) {
        LonghornConfig.Builder config = LonghornConfig.builder().registry(directory.resolve("registry"));
        servers.forEach(server -> config.replicaServer(server.address().toString()));
        return Longhorn.connect(config.build());
    }

    @Test
    void olderEngineIsFencedInEveryCall() throws Exception {
        List<ReplicaServer> servers = servers(2);
        VolumeSpec spec =
                VolumeSpec.named("orders").sizeBytes(1 << 20).replicas(2).build();
        try (Longhorn one = connect(servers);
                Longhorn two = connect(servers)) {
            Volume older = one.create(spec);
            older.write(0, filled(1));
            assertThatThrownBy(() -> two.delete("orders")).isInstanceOf(VolumeInUseException.class);
            Volume newer = two.open("orders");
            assertThat(first(newer, 0)).isEqualTo(1);

            assertThatThrownBy(older::snapshots).isInstanceOf(FencedException.class);
            assertThatThrownBy(() -> older.write(0, filled(2))).isInstanceOf(FencedException.class);
            assertThatThrownBy(() -> older.read(0, ByteBuffer.allocate(1))).isInstanceOf(FencedException.class);
            assertThatThrownBy(older::flush).isInstanceOf(FencedException.class);
            assertThatThrownBy(() -> older.snapshot("first")).isInstanceOf(FencedException.class);
            assertThatThrownBy(() -> older.allocation(0, BLOCK)).isInstanceOf(FencedException.class);
            assertThatThrownBy(() ->
                            older.discardAsync(0, BLOCK).toCompletableFuture().join())
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(FencedException.class);
            older.close();
            assertThat(first(newer, 0)).isEqualTo(1);

            Volume again = one.open("orders");
            again.write(0, filled(3));
            assertThatThrownBy(() -> newer.write(0, filled(4))).isInstanceOf(FencedException.class);
            assertThat(first(again, 0)).isEqualTo(3);
        } finally {
            servers.forEach(ReplicaServer::close);
        }
    }

    @Test
    void deletedVolumeHasNoReplicaOnTheServers() throws Exception {
        List<ReplicaServer> servers = servers(3);
        try (Longhorn longhorn = connect(servers)) {
            Volume volume = longhorn.create(spec("orders"));
            volume.write(0, filled(1));
            volume.close();
            longhorn.delete("orders");
            for (int i = 0; i < 3; i++) {
                assertThat(HostedReplicas.on(directory.resolve("disk-" + i))).isEmpty();
            }
            assertThat(longhorn.create(spec("orders")).snapshots()).isEmpty();
        } finally {
            servers.forEach(ReplicaServer::close);
        }
    }

    @Test
    void manyThreadsOpenCloseAndWriteAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            longhorn.create(spec("shared")).close();
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < 6; t++) {
                int thread = t;
                all.add(threads.submit(() -> {
                    Volume own = longhorn.create(spec("own-" + thread));
                    for (int i = 0; i < 30; i++) {
                        own.write(0, filled(i));
                        useShared(longhorn, thread, i);
                        assertThat(first(own, 0)).isEqualTo(i);
                    }
                    own.close();
                    longhorn.delete("own-" + thread);
                    return thread;
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
            assertThat(longhorn.volumes()).containsExactly("shared");
            Volume shared = longhorn.open("shared");
            for (int t = 0; t < 6; t++) {
                assertThat(first(shared, t)).isEqualTo(29);
            }
        } finally {
            threads.shutdown();
        }
    }

    /** Another thread may close it at any moment. */
    private static void useShared(Longhorn longhorn, int thread, int value) {
        while (true) {
            Volume shared = longhorn.open("shared");
            try {
                shared.write((long) thread * BLOCK, filled(value));
                if (value % 7 == thread) {
                    shared.close();
                }
                return;
            } catch (VolumeClosedException e) {
                assertThat(e).hasMessageContaining("shared");
            }
        }
    }
}
