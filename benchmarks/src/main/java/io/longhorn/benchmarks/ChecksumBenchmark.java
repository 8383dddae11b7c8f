package io.longhorn.benchmarks;

import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import java.nio.ByteBuffer;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * The checksum of one block, which every block written or read pays at least once on each side.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar ChecksumBenchmark
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ChecksumBenchmark {

    /** Callers may bring either; the engine's own memory is direct. */
    @Param({"direct", "heap"})
    public String memory = "direct";

    private ByteBuffer block = ByteBuffer.allocate(0);

    @Setup
    public void fill() {
        byte[] content = new byte[FrameLayout.BLOCK_BYTES];
        new Random(1).nextBytes(content);
        block = memory.equals("direct")
                ? ByteBuffer.allocateDirect(content.length).put(content)
                : ByteBuffer.wrap(content);
    }

    @Benchmark
    public int block() {
        return Checksum.block(block, 0);
    }
}
