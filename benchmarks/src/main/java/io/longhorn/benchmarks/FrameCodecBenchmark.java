package io.longhorn.benchmarks;

import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.RecordLayout;
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
 * What the codec costs per WRITE and per ACK: the engine encodes once per write, each replica checks once, stamps once and
 * encodes an answer per batch. {@code -prof gc} must show no allocation.
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar FrameCodecBenchmark -prof gc
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FrameCodecBenchmark {

    /** One block is the small random write, 32 a sequential one of 128 KiB. */
    @Param({"1", "32"})
    public int blocks = 1;

    private final FramePool pool = new FramePool();
    private FrameBuffer write = pool.acquire(RecordLayout.writeFrameLength(32));
    private FrameBuffer acknowledgement = pool.acquire(AckLayout.FRAME_BYTES);
    private long sequence = 1;

    @Setup
    public void fill() {
        byte[] payload = new byte[RecordLayout.writeFrameLength(blocks) - RecordLayout.writeHeaderLength(blocks)];
        new Random(1).nextBytes(payload);
        write.bytes().put(RecordLayout.writeHeaderLength(blocks), payload);
        encodeWrite();
        encodeAcknowledgement();
    }

    @TearDown
    public void release() {
        write.release();
        acknowledgement.release();
    }

    /** The engine's part; the checksum of each block included. */
    @Benchmark
    public FrameBuffer encodeWrite() {
        sequence++;
        RecordLayout.encodeWrite(write, 0, 1, sequence, sequence - 1, 4096L * (sequence & 0xffff), blocks);
        return write;
    }

    /** The replica's part on receipt; the checksum of each block included. */
    @Benchmark
    public boolean checkWrite() {
        return RecordLayout.check(write.bytes(), 0, write.length()) == FrameFault.NONE
                && RecordLayout.payloadMatches(write.bytes(), 0);
    }

    /** What the journal changes in a record, and takes back. */
    @Benchmark
    public FrameBuffer stampAndClear() {
        RecordLayout.stamp(write.bytes(), 0, 3, sequence, 7);
        RecordLayout.clearStamp(write.bytes(), 0);
        return write;
    }

    @Benchmark
    public FrameBuffer encodeAcknowledgement() {
        AckLayout.encode(acknowledgement, 1, sequence, sequence, 1 << 20, false);
        return acknowledgement;
    }

    @Benchmark
    public FrameFault checkAcknowledgement() {
        return AckLayout.check(acknowledgement.bytes(), 0, acknowledgement.length());
    }
}
