package io.longhorn.replica;

import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.ReadLayout;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The replica without network and threads: a frame in, the journal or a layer, a frame out. Writes include their encoding, and the checkpoints that come every 64 MiB; what
 * {@code -prof gc} shows is theirs. On a file system in memory the disk costs nothing:
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar ReplicaCoreBenchmark -prof gc -jvmArgsAppend -Djava.io.tmpdir=/dev/shm
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class ReplicaCoreBenchmark {
    private static final int BLOCKS = 4096;

    /** A replica and where to write next. */
    @State(Scope.Thread)
    public static class Written {
        private final LoneReplica replica = new LoneReplica(BLOCKS);
        private final Random random = new Random(1);

        @TearDown
        public void close() {
            replica.close();
        }
    }

    /** A replica all of whose blocks are written, and a request for one of them. */
    @State(Scope.Thread)
    public static class Filled {
        @Param({"journal", "layer"})
        public String from = "journal";

        private final LoneReplica replica = new LoneReplica(BLOCKS);
        private final Random random = new Random(1);
        private final FrameBuffer read = new FramePool().acquire(ReadLayout.READ_BYTES);

        @Setup
        public void fill() {
            for (int block = 0; block < BLOCKS; block++) {
                replica.addWrite(block);
                replica.sendWrites();
            }
            if (from.equals("layer")) {
                replica.checkpoint();
            }
        }

        @TearDown
        public void close() {
            replica.require(FrameType.READ_OK);
            replica.close();
        }
    }

    @Benchmark
    public long write(Written to) {
        to.replica.addWrite(to.random.nextInt(BLOCKS));
        return to.replica.sendWrites();
    }

    /** 32 frames that arrived together: one write to the journal, one answer. */
    @Benchmark
    public long writeBatch(Written to) {
        for (int i = 0; i < LoneReplica.BATCH_MAX; i++) {
            to.replica.addWrite(to.random.nextInt(BLOCKS));
        }
        return to.replica.sendWrites();
    }

    @Benchmark
    public long read(Filled from) {
        ReadLayout.encodeRead(from.read, 1, 9, LayerId.LIVE, 0, from.random.nextInt(BLOCKS) * 4096L, 4096);
        return from.replica.request(from.read);
    }
}
