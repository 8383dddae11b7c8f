package io.longhorn.replica;

import io.longhorn.replica.layer.BlockReader;
import io.longhorn.replica.layer.MapPage;
import java.io.IOException;
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
 * A replica's look-up of a random block that only the oldest layer has, under 1 or 250 snapshots that have a block each: what a read of one block does before it touches data.
 * It goes through the chain of layers once, to see which have journaled blocks, and then finds the block at once.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar BlockLookupBenchmark -prof gc
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BlockLookupBenchmark {
    private static final int BLOCKS = 4096;

    @Param({"1", "250"})
    public int snapshots = 1;

    private final LoneReplica replica = new LoneReplica(BLOCKS);
    private final Random random = new Random(1);

    @Setup
    public void fill() {
        for (int block = 0; block < BLOCKS; block++) {
            write(block);
        }
        replica.snapshot();
        for (int i = 1; i < snapshots; i++) {
            write(0);
            replica.snapshot();
        }
        replica.checkpoint();
    }

    private void write(int block) {
        replica.addWrite(block);
        replica.sendWrites();
    }

    @TearDown
    public void close() {
        replica.close();
    }

    @Benchmark
    public int find() throws IOException {
        return crc(1 + random.nextInt(BLOCKS - 1));
    }

    /** The first look-up in a page of the map since a checkpoint changed it: asks the layers, one below the other. */
    @Benchmark
    public int resolveAndFind() throws IOException {
        int block = 1 + random.nextInt(BLOCKS - 1);
        replica.disk().resolved().remove(replica.head(), MapPage.pageOf(block));
        return crc(block);
    }

    private int crc(int block) throws IOException {
        BlockReader reader = replica.disk().reader();
        reader.look(replica.head());
        return reader.find(block).crc();
    }
}
