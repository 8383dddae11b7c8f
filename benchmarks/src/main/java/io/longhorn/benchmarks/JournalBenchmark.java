package io.longhorn.benchmarks;

import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.journal.JournalGap;
import io.longhorn.replica.journal.JournalListener;
import io.longhorn.replica.journal.JournalSettings;
import io.longhorn.replica.journal.RecoverySink;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
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
 * Appending records of one block to a journal on real files, one by one or a batch with one write. What is appended is released when the journal is
 * full, which takes a sync per segment; without it, {@code append} on a file system in memory shows the journal's own cost:
 *
 * <pre>
 * mvn -q -pl benchmarks -am -DskipTests package
 * java -jar benchmarks/target/longhorn-benchmarks.jar JournalBenchmark -prof gc
 * java -jar benchmarks/target/longhorn-benchmarks.jar JournalBenchmark.append$ -prof gc -jvmArgsAppend -Djava.io.tmpdir=/dev/shm
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class JournalBenchmark {
    private static final int SLOT = 1;

    /** Of one append. */
    @Param({"1", "32"})
    public int records = 1;

    private final ScratchDirectory scratch = new ScratchDirectory();
    private final TurnedWorker worker = new TurnedWorker();
    private ByteBuffer frames = ByteBuffer.allocate(0);
    private final Others others = new Others();
    private @Nullable PathDirectory directory;
    private @Nullable Journal journal;

    @Setup
    public void open() throws IOException {
        PathDirectory opened = PathDirectory.open(scratch.resolve("disk"));
        directory = opened;
        journal = Journal.recover(opened, JournalSettings.DEFAULT, new UUID(1, 2), worker, others, others);
        worker.turn();
        FrameBuffer frame = new FramePool().acquire(RecordLayout.writeFrameLength(1));
        frames = ByteBuffer.allocateDirect(records * RecordLayout.writeFrameLength(1))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < records; i++) {
            RecordLayout.encodeWrite(frame, 0, 1, i + 1, 0, 4096L * i, 1);
            frames.put(i * frame.length(), frame.bytes(), 0, frame.length());
        }
    }

    @TearDown
    public void close() throws IOException {
        journal().close();
        if (directory != null) {
            directory.close();
        }
        scratch.close();
    }

    @Benchmark
    public long append() {
        Journal.Appended outcome = journal().append(SLOT, frames, 0, frames.limit(), others);
        if (outcome == Journal.Appended.FULL) {
            sync();
            journal().release(journal().durablePosition());
            worker.turn();
            return append();
        }
        return others.placedPosition;
    }

    @Benchmark
    public long appendAndSync() {
        append();
        sync();
        return others.placedPosition;
    }

    private void sync() {
        journal().requestSync();
        worker.turn();
    }

    private Journal journal() {
        if (journal == null) {
            throw new IllegalStateException("not open");
        }
        return journal;
    }

    /** Everybody that a journal tells something. */
    private static final class Others implements RecoverySink, JournalListener, Journal.Placement {
        private long placedPosition;

        @Override
        public void placed(int frameOffset, long position) {
            placedPosition = position;
        }

        @Override
        public void record(long position, ByteBuffer b, int at) {
            throw new IllegalStateException("a new journal held a record");
        }

        @Override
        public void gap(JournalGap gap) {
            throw new IllegalStateException("a new journal has a gap");
        }

        @Override
        public void durable(long position) {}

        @Override
        public void spaceGrew() {}

        @Override
        public void failed(IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }
}
