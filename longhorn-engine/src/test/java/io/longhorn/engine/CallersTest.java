package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Callers that run the loop while they wait, beside others that wait too, do not wait at all, are interrupted, or open and close other volumes. */
@Timeout(60)
class CallersTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;
    private static final int BLOCKS_PER_CALLER = 16;
    private static final int ROUNDS = 300;
    private static final int BLOCKING_CALLERS = 3;

    @TempDir
    Path directory;

    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    private interface Task {
        void run() throws Exception;
    }

    private Thread start(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Throwable e) {
                failures.add(e);
            }
        });
        thread.start();
        return thread;
    }

    private static ByteBuffer content(int caller, int round) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        while (block.hasRemaining()) {
            block.putInt(caller << 24 | round);
        }
        return block.flip();
    }

    private static long offset(int caller, int round) {
        return ((long) caller * BLOCKS_PER_CALLER + round % BLOCKS_PER_CALLER) * BLOCK;
    }

    private static void verify(Volume volume, int caller, int round) {
        ByteBuffer found = ByteBuffer.allocate(BLOCK);
        volume.read(offset(caller, round), found);
        assertThat(found.flip()).isEqualTo(content(caller, round));
    }

    private static void writeAndRead(Volume volume, int caller) {
        for (int round = 0; round < ROUNDS; round++) {
            volume.write(offset(caller, round), content(caller, round));
            verify(volume, caller, round);
            if (round % 50 == 0) {
                volume.flush();
            }
        }
    }

    /** Each write begins where the one before it completed, on whatever thread that is. */
    private static CompletionStage<Void> writeChain(Volume volume, int caller, int round) {
        if (round == ROUNDS) {
            return CompletableFuture.completedFuture(null);
        }
        return volume.writeAsync(offset(caller, round), content(caller, round))
                .thenCompose(nothing -> writeChain(volume, caller, round + 1));
    }

    private void mix(Longhorn longhorn, int replicas) throws Exception {
        Volume volume = longhorn.create(
                VolumeSpec.named("orders").sizeBytes(1 << 20).replicas(replicas).build());
        // Alone first: where replicas are elsewhere the caller runs the loop from the third call on.
        writeAndRead(volume, 0);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < BLOCKING_CALLERS; i++) {
            int caller = i;
            threads.add(start(() -> writeAndRead(volume, caller)));
        }
        List<Thread> victims = List.copyOf(threads);
        threads.add(start(() ->
                writeChain(volume, BLOCKING_CALLERS, 0).toCompletableFuture().get()));
        threads.add(start(() -> {
            for (int i = 0; i < 5; i++) {
                Volume other = longhorn.create(VolumeSpec.named("other-" + i)
                        .sizeBytes(1 << 20)
                        .replicas(replicas)
                        .build());
                writeAndRead(other, i % 2);
                other.close();
                longhorn.delete(other.name());
            }
        }));
        Thread interrupter = start(() -> {
            while (victims.stream().anyMatch(Thread::isAlive)) {
                victims.forEach(Thread::interrupt);
                Thread.onSpinWait();
            }
        });
        for (Thread thread : threads) {
            thread.join();
        }
        interrupter.join();
        assertThat(failures).isEmpty();
        for (int caller = 0; caller <= BLOCKING_CALLERS; caller++) {
            for (int round = ROUNDS - BLOCKS_PER_CALLER; round < ROUNDS; round++) {
                verify(volume, caller, round);
            }
        }
    }

    @Test
    void mixInProcess() throws Exception {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            mix(longhorn, 3);
        }
    }

    @Test
    void mixOverSockets() throws Exception {
        List<ReplicaServer> servers = new ArrayList<>();
        try {
            LonghornConfig.Builder config = LonghornConfig.builder()
                    .registry(directory.resolve("registry"))
                    .readCacheBytes(0);
            for (int i = 0; i < 2; i++) {
                ReplicaServer server = server(i);
                servers.add(server);
                config.replicaServer(server.address().toString());
            }
            try (Longhorn longhorn = Longhorn.connect(config.build())) {
                mix(longhorn, 2);
            }
        } finally {
            servers.forEach(ReplicaServer::close);
        }
    }

    @Test
    void whatComesAfterCompletionsRunsOnTheirThreadAndElsewhereAtOnce() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("orders").sizeBytes(1 << 20).build());
            List<String> order = new CopyOnWriteArrayList<>();

            volume.afterCompletions(() -> order.add("at once"));
            assertThat(order).containsExactly("at once");

            Thread completedOn;
            do {
                // The write may have ended before anything depended on it.
                order.clear();
                CompletableFuture<Thread> ranOn = new CompletableFuture<>();
                completedOn = volume.writeAsync(0, content(0, 0))
                        .thenApply(nothing -> {
                            volume.afterCompletions(() -> {
                                order.add("after");
                                ranOn.complete(Thread.currentThread());
                            });
                            order.add("completion");
                            return Thread.currentThread();
                        })
                        .toCompletableFuture()
                        .join();
                assertThat(ranOn.join()).isSameAs(completedOn);
            } while (completedOn == Thread.currentThread());
            assertThat(order).containsExactly("completion", "after");
        }
    }

    private ReplicaServer server(int index) throws IOException {
        return ReplicaServer.builder()
                .directory(directory.resolve("disk-" + index))
                .listen(new HostPort("127.0.0.1", 0))
                .start();
    }
}
