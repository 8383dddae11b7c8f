package io.longhorn.benchmarks;

import java.nio.ByteBuffer;
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
 * One embedded volume, a thread that waits for each call or keeps 32 in flight: engine, three journals and three replicas without a
 * network. {@code -prof gc} shows what a call allocates.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar VolumeBenchmark -prof gc
 * </pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class VolumeBenchmark {

    private static final long CACHED_BYTES = 8L << 20;

    private @Nullable EmbeddedVolume embedded;

    @Setup
    public void open() {
        embedded = new EmbeddedVolume();
    }

    @TearDown
    public void close() {
        embedded().close();
    }

    /** A random block, confirmed by three replicas. */
    @Benchmark
    public void write() {
        embedded().writeWithin(EmbeddedVolume.SIZE_BYTES);
    }

    /** The same with 32 in flight. */
    @Benchmark
    public void writeAsync() {
        embedded().writeNextWithin(EmbeddedVolume.SIZE_BYTES);
    }

    /** A random block, on stable storage. */
    @Benchmark
    public void writeAndFlush() {
        embedded().writeWithin(EmbeddedVolume.SIZE_BYTES);
        embedded().volume().flush();
    }

    /** A random block of a range four times the read cache. */
    @Benchmark
    public ByteBuffer read() {
        return embedded().readWithin(EmbeddedVolume.SIZE_BYTES);
    }

    /** The same with 32 in flight. */
    @Benchmark
    public void readAsync() {
        embedded().readNextWithin(EmbeddedVolume.SIZE_BYTES);
    }

    /** A random block of a range that fits into the read cache. */
    @Benchmark
    public ByteBuffer readCached() {
        return embedded().readWithin(CACHED_BYTES);
    }

    private EmbeddedVolume embedded() {
        if (embedded == null) {
            throw new IllegalStateException("not open");
        }
        return embedded;
    }
}
