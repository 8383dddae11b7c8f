package io.longhorn.benchmarks;

import io.longhorn.Volume;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
 * Finding a block among many layers: random reads of an embedded volume whose blocks lie spread over 1 or 250 snapshots.
 * The two must not differ much.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar SnapshotsBenchmark
 * </pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class SnapshotsBenchmark {

    private static final int BLOCKS_PER_SNAPSHOT = 64;

    @Param({"1", "250"})
    public int snapshots = 1;

    private @Nullable EmbeddedVolume embedded;

    @Setup
    public void open() {
        embedded = new EmbeddedVolume();
        for (int snapshot = 1; snapshot <= snapshots; snapshot++) {
            for (int block = 0; block < BLOCKS_PER_SNAPSHOT; block++) {
                embedded.writeWithin(EmbeddedVolume.SIZE_BYTES);
            }
            embedded.volume().snapshot("snapshot-" + snapshot);
        }
    }

    @TearDown
    public void close() {
        embedded().close();
    }

    @Benchmark
    public ByteBuffer read() {
        return embedded().readWithin(EmbeddedVolume.SIZE_BYTES);
    }

    /** Answered from block maps alone. */
    @Benchmark
    public int allocation() {
        return embedded().volume().allocation(0, 512L * Volume.BLOCK_BYTES).size();
    }

    private EmbeddedVolume embedded() {
        if (embedded == null) {
            throw new IllegalStateException("not open");
        }
        return embedded;
    }
}
