package io.longhorn.engine;

import io.longhorn.Durability;
import io.longhorn.LonghornException;
import io.longhorn.VolumeLimits;
import io.longhorn.benchmarks.ScratchDirectory;
import io.longhorn.benchmarks.TurnedLoop;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The engine without network and threads: a request in, frames to three replicas out, their answers in, the completion told. {@code -prof gc} must show next to nothing: ticks
 * and the COMMIT after a pause allocate, whatever the load.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar EngineCoreBenchmark -prof gc
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class EngineCoreBenchmark {
    private static final String VOLUME = "vol";
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 4096;
    private static final long SECOND = 1_000_000_000;

    private final TurnedLoop loop = new TurnedLoop();
    private final ScratchDirectory scratch = new ScratchDirectory();
    private final List<AgreeableReplica> replicas = new ArrayList<>();
    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
    private final Random random = new Random(1);
    private final Ended ended = new Ended();
    private @Nullable EngineCore engine;

    /** Counts completions. */
    private static final class Ended implements Completion {
        private long count;

        @Override
        public void done(@Nullable LonghornException failure) {
            if (failure != null) {
                throw failure;
            }
            count++;
        }
    }

    @Setup
    public void open() {
        List<ReplicaRecord> records = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ReplicaRecord record = new ReplicaRecord(new UUID(1, i), "r" + i + ":1");
            records.add(record);
            replicas.add(new AgreeableReplica(loop, record, (long) BLOCKS * BLOCK));
        }
        FileRegistry registry = FileRegistry.open(scratch.resolve("registry"), HostIdentity.current());
        registry.compareAndSet(volumeOf(records)).toCompletableFuture().join();
        EngineCore core = new EngineCore(
                loop, this::connect, registry, settings(), VOLUME, new UUID(9, 9), new VolumeEvents(VOLUME));
        engine = core;
        core.open(ended);
        await();
    }

    private static VolumeRecord volumeOf(List<ReplicaRecord> replicas) {
        return new VolumeRecord(
                1,
                VOLUME,
                new UUID(2, 2),
                (long) BLOCKS * BLOCK,
                Durability.ON_FLUSH,
                replicas.size(),
                1,
                VolumeLimits.NONE,
                Map.of(),
                0,
                0,
                VolumeRecord.NO_ENGINE,
                replicas,
                replicas.stream().map(ReplicaRecord::replicaId).toList(),
                Optional.empty());
    }

    private static EngineSettings settings() {
        return new EngineSettings(
                SECOND,
                12 * SECOND,
                3 * SECOND,
                30 * SECOND,
                30 * SECOND,
                SECOND,
                3600 * SECOND,
                64,
                1024,
                16 << 20,
                0,
                0,
                "");
    }

    private void connect(Loop onLoop, String endpoint, Connection.Connector.Result result) {
        for (AgreeableReplica replica : replicas) {
            if (replica.record().endpoint().equals(endpoint)) {
                onLoop.execute(() -> replica.accept(result));
            }
        }
    }

    @TearDown
    public void close() {
        engine().close(ended);
        await();
        engine().registry.close();
        scratch.close();
    }

    /** A random block, confirmed by three replicas. */
    @Benchmark
    public long write() {
        engine().write(offset(), block.clear(), false, ended);
        return await();
    }

    /** A random block, from one replica. */
    @Benchmark
    public long read() {
        engine().reads.read(LayerId.LIVE, 0, offset(), block.clear(), ended);
        return await();
    }

    private long offset() {
        return random.nextInt(BLOCKS) * (long) BLOCK;
    }

    /** Turns loop and replicas until one more completion was told; returns how many were so far. */
    private long await() {
        long before = ended.count;
        while (ended.count == before) {
            loop.turn();
            for (int i = 0; i < replicas.size(); i++) {
                replicas.get(i).answer();
            }
        }
        return ended.count;
    }

    private EngineCore engine() {
        if (engine == null) {
            throw new IllegalStateException("not open");
        }
        return engine;
    }
}
