package io.longhorn.benchmarks;

import io.longhorn.replica.wire.AlignedMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
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
 * A read of 128 KiB that the page cache answers, into memory that begins so many bytes behind the beginning of a page: why {@link AlignedMemory} is. 16 is where the C
 * library puts large memory.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar MemoryStartBenchmark
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH calls the method that sets them.
public class MemoryStartBenchmark {

    private static final int READ_BYTES = 128 << 10;
    private static final int READS = 64;
    private static final int PAGE_BYTES = 4096;

    @Param({"0", "8", "16", "24", "32"})
    public int bytesBehindPage;

    private final ScratchDirectory scratch = new ScratchDirectory();
    private ByteBuffer target;
    private FileChannel file;
    private int next;

    @Setup
    public void open() throws IOException {
        ByteBuffer page = AlignedMemory.allocate(READ_BYTES + 2 * PAGE_BYTES).alignedSlice(PAGE_BYTES);
        target = page.slice(bytesBehindPage, READ_BYTES);
        file = FileChannel.open(
                scratch.resolve("cached"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        ByteBuffer content = ByteBuffer.allocateDirect(READ_BYTES);
        for (int i = 0; i < READS; i++) {
            content.clear();
            while (content.hasRemaining()) {
                file.write(content, (long) i * READ_BYTES + content.position());
            }
        }
    }

    @TearDown
    public void close() throws IOException {
        file.close();
        scratch.close();
    }

    @Benchmark
    public int read() throws IOException {
        next = (next + 1) % READS;
        return file.read(target.clear(), (long) next * READ_BYTES);
    }
}
