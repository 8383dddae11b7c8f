package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The frames of the data path are made, checked and read without allocating, once the compiler has seen them. */
class HotPathAllocationTest {
    private static final int ROUND = 20_000;
    /** The compiler may take this many rounds until the checksum's own object is gone. */
    private static final int ROUNDS_MAX = 100;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final FramePool pool = new FramePool();

    @Test
    void writesAndTheirAcksAllocateNothing() {
        assertSettlesAtNothing(sequence -> {
            FrameBuffer write = pool.acquire(RecordLayout.writeFrameLength(1));
            RecordLayout.encodeWrite(write, 0, 1, sequence, sequence - 1, 4096 * sequence, 1);
            ByteBuffer b = write.bytes();
            boolean good =
                    RecordLayout.check(b, 0, write.length()) == FrameFault.NONE && RecordLayout.payloadMatches(b, 0);
            RecordLayout.stamp(b, 0, 3, sequence, 4);
            write.release();
            FrameBuffer ack = pool.acquire(AckLayout.FRAME_BYTES);
            AckLayout.encode(ack, 1, sequence, sequence, sequence, false);
            good &= AckLayout.check(ack.bytes(), 0, ack.length()) == FrameFault.NONE;
            ack.release();
            return good;
        });
    }

    @Test
    void readsAndTheirAnswersAllocateNothing() {
        FrameBuffer answer = SampleFrames.readOk(pool, false);
        assertSettlesAtNothing(request -> {
            FrameBuffer read = pool.acquire(ReadLayout.READ_BYTES);
            ReadLayout.encodeRead(read, 1, request, LayerId.LIVE, 0, 4096 * request, 4096);
            boolean good = ReadLayout.checkRead(read.bytes(), 0, read.length()) == FrameFault.NONE;
            read.release();
            ReadLayout.encodeAnswer(answer, 1, request, 3, false);
            good &= ReadLayout.checkAnswer(answer.bytes(), 0, answer.length()) == FrameFault.NONE;
            return good && ReadLayout.firstMismatch(answer.bytes(), 0, 0) == -1;
        });
    }

    private interface Step {
        boolean run(long number);
    }

    private void assertSettlesAtNothing(Step step) {
        long threadId = Thread.currentThread().getId();
        long allocated = Long.MAX_VALUE;
        long number = 1;
        for (int round = 0; round < ROUNDS_MAX && allocated >= ROUND; round++) {
            long before = threads.getThreadAllocatedBytes(threadId);
            boolean good = true;
            for (int i = 0; i < ROUND; i++) {
                good &= step.run(number++);
            }
            allocated = threads.getThreadAllocatedBytes(threadId) - before;
            assertThat(good).isTrue();
        }
        assertThat(allocated).as("bytes for %d operations", ROUND).isLessThan(ROUND);
    }
}
