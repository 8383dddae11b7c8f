package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AlignedMemoryTest {

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 65, 4096, 6144, 512 << 10})
    void beginsAtALineOfTheCacheAndIsAsLongAsAskedFor(int bytes) {
        ByteBuffer memory = AlignedMemory.allocate(bytes);

        assertThat(memory.alignmentOffset(0, AlignedMemory.ALIGNMENT)).isZero();
        assertThat(memory.capacity()).isEqualTo(bytes);
        assertThat(memory.remaining()).isEqualTo(bytes);
        assertThat(memory.isDirect()).isTrue();
        assertThat(memory.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 256, 4096, 384 << 10})
    void framesBeginThereAsWell(int bytes) {
        FrameBuffer frame = new FramePool().acquire(bytes);

        assertThat(frame.bytes().alignmentOffset(0, AlignedMemory.ALIGNMENT)).isZero();
        frame.release();
    }
}
