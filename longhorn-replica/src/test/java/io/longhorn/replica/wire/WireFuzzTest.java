package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.longhorn.ProtocolException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever bytes arrive: a decoder gives a value or a {@link ProtocolException}, a check gives a fault, and neither takes much memory. */
@Timeout(60)
class WireFuzzTest {
    private static final long SEED = Long.getLong("longhorn.seed", 20260303L);
    private static final int ROUNDS_PER_FRAME = 800;
    /** Room for the exception's words and stack trace. */
    private static final long ALLOCATION_BASE_BYTES = 256 << 10;
    /** Decoded objects are larger than their bytes; an empty label pair takes 4 bytes as the extreme. */
    private static final int ALLOCATION_FACTOR = 64;

    private static final List<Consumer<ByteBuffer>> DECODERS = List.of(
            b -> MessageCodec.decode(b, 0), b -> MessageCodec.decodeStructure(b, 0), b -> FrameLayout.checkStart(b, 0));

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final long threadId = Thread.currentThread().getId();
    private final Random random = new Random(SEED);

    @Test
    void changedFramesAreDecodedOrRefused() {
        FramePool pool = new FramePool();
        int decoded = 0;
        for (FrameBuffer frame : samples(pool)) {
            for (int round = 0; round < ROUNDS_PER_FRAME; round++) {
                ByteBuffer b = copy(frame);
                change(b);
                boolean sealed = round % 8 != 0 && seal(b);
                decoded += face(b) && sealed ? 1 : 0;
            }
        }
        // A fuzz test whose frames are all refused at the door would show nothing.
        assertThat(decoded).isGreaterThan(1_000);
    }

    @Test
    void randomBytesAreRefused() {
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[FrameLayout.HEADER_BYTES + random.nextInt(600)];
            random.nextBytes(bytes);
            ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            if (round % 2 == 0) {
                dressUp(b);
            }
            face(b);
        }
    }

    /** Everything but the body is right, so that random bytes reach the fields. */
    private void dressUp(ByteBuffer b) {
        int length = b.capacity() & -FrameLayout.ALIGNMENT;
        FrameType type = FrameType.values()[random.nextInt(FrameType.values().length)];
        FrameLayout.encode(b, 0, type, 0, length, 0, random.nextInt(9), random.nextInt(9));
        if (type.isStructure() && length >= RecordLayout.TABLE_OFFSET) {
            for (int at = RecordLayout.COMMITTED_OFFSET; at < RecordLayout.TABLE_OFFSET; at += 8) {
                b.putLong(at, 0);
            }
        }
        FrameLayout.seal(b, 0);
    }

    private List<FrameBuffer> samples(FramePool pool) {
        List<FrameBuffer> frames = new ArrayList<>(SampleFrames.frames(pool).values());
        RandomRecords records = new RandomRecords(SEED);
        for (Class<?> type : Message.class.getPermittedSubclasses()) {
            frames.add(MessageCodec.encode(pool, 1, 2, records.message(type)));
        }
        return frames;
    }

    private static ByteBuffer copy(FrameBuffer frame) {
        ByteBuffer b = ByteBuffer.allocate(frame.length()).order(ByteOrder.LITTLE_ENDIAN);
        b.put(0, frame.bytes(), 0, frame.length());
        return b;
    }

    private void change(ByteBuffer b) {
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            // Mostly in the first bytes, where lengths, types and counts are.
            int at = random.nextInt(random.nextInt(4) == 0 ? b.capacity() : Math.min(b.capacity(), 160));
            switch (random.nextInt(5)) {
                case 0 -> b.put(at, (byte) (b.get(at) ^ 1 << random.nextInt(8)));
                case 1 -> b.put(at, (byte) random.nextInt());
                case 2 -> b.putShort(Math.min(at, b.capacity() - 2), (short) (random.nextInt(3) - 1));
                case 3 -> b.putInt(Math.min(at, b.capacity() - 4), random.nextInt() >> random.nextInt(32));
                default -> b.putLong(Math.min(at, b.capacity() - 8), random.nextLong() >> random.nextInt(64));
            }
        }
    }

    private static boolean seal(ByteBuffer b) {
        boolean possible = FrameLayout.lengthsFit(b, 0) && FrameLayout.frameLength(b, 0) <= b.capacity();
        if (possible) {
            b.putInt(FrameLayout.MAGIC_OFFSET, FrameLayout.MAGIC);
            FrameLayout.seal(b, 0);
        }
        return possible;
    }

    /** Every decoder and check; whether one accepted the bytes. What is allocated the first time only, when classes are loaded, does not count. */
    private boolean face(ByteBuffer b) {
        long before = allocatedBytes();
        boolean accepted = accepts(b);
        long allocated = allocatedBytes() - before;
        long limit = ALLOCATION_BASE_BYTES + (long) ALLOCATION_FACTOR * b.capacity();
        if (allocated >= limit) {
            before = allocatedBytes();
            assertThat(accepts(b)).isEqualTo(accepted);
            allocated = allocatedBytes() - before;
        }
        assertThat(allocated)
                .as("bytes allocated for a frame of %d, seed %d", b.capacity(), SEED)
                .isLessThan(limit);
        return accepted;
    }

    private long allocatedBytes() {
        return threads.getThreadAllocatedBytes(threadId);
    }

    private static boolean accepts(ByteBuffer b) {
        boolean accepted = false;
        for (Consumer<ByteBuffer> decoder : DECODERS.subList(0, 2)) {
            accepted |= decodes(decoder, b);
        }
        var unused = decodes(DECODERS.get(2), b);
        return checks(b) || accepted;
    }

    private static boolean decodes(Consumer<ByteBuffer> decoder, ByteBuffer b) {
        try {
            decoder.accept(b);
            return true;
        } catch (ProtocolException e) {
            assertThat(e.reason()).isNotEmpty();
            return false;
        }
    }

    /** A frame that a check accepts can be read to its end. */
    private static boolean checks(ByteBuffer b) {
        int length = b.capacity();
        boolean accepted = FrameFault.of(b, 0, length) == FrameFault.NONE;
        if (RecordLayout.checkJournaled(b, 0, length) == FrameFault.NONE) {
            accepted = true;
            RecordLayout.payloadMatches(b, 0);
        }
        if (RecordLayout.check(b, 0, length) == FrameFault.NONE) {
            assertThat(accepted).isTrue();
            assertThat(RecordLayout.offset(b, 0)).isNotNegative();
            assertThat(RecordLayout.offset(b, 0) + RecordLayout.length(b, 0)).isNotNegative();
        }
        if (ReadLayout.checkAnswer(b, 0, length) == FrameFault.NONE) {
            accepted = true;
            ReadLayout.firstMismatch(b, 0, 0);
        }
        if (LayerBlocksLayout.check(b, 0, length) == FrameFault.NONE) {
            accepted = true;
            LayerBlocksLayout.layer(b, 0);
            LayerBlocksLayout.matches(b, 0);
            for (int i = 0; i < LayerBlocksLayout.entryCount(b, 0); i++) {
                if (!LayerBlocksLayout.isDamaged(b, 0, i)) {
                    LayerBlocksLayout.state(b, 0, i);
                }
                assertThat(LayerBlocksLayout.block(b, 0, i)).isNotNegative();
                assertThat(LayerBlocksLayout.sequence(b, 0, i)).isNotNegative();
            }
        }
        accepted |= ReadLayout.checkRead(b, 0, length) == FrameFault.NONE;
        accepted |= AckLayout.check(b, 0, length) == FrameFault.NONE;
        accepted |= SequenceLayout.check(b, 0, length, FrameType.COMMIT) == FrameFault.NONE;
        accepted |= SequenceLayout.check(b, 0, length, FrameType.FLUSH) == FrameFault.NONE;
        return accepted;
    }
}
