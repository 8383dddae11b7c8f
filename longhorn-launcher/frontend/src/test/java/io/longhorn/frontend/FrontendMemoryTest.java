package io.longhorn.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrontendMemoryTest {

    private static final long STAMP = 0x5eed_f00d_5eed_f00dL;

    @ParameterizedTest
    @ValueSource(ints = {1, 48, 4096, 65_536, 256 << 10, 8 << 20})
    void directBuffersBeginAtALineOfTheCacheWhereNettyCanAlignThem(int bytes) {
        assumeTrue(PooledByteBufAllocator.isDirectMemoryCacheAlignmentSupported(), "Netty has no Unsafe");
        ByteBuf first = FrontendMemory.pool().directBuffer(bytes, bytes);
        ByteBuf second = FrontendMemory.pool().directBuffer(bytes, bytes);

        assertThat(first.nioBuffer(0, bytes).alignmentOffset(0, 64)).isZero();
        assertThat(second.nioBuffer(0, bytes).alignmentOffset(0, 64)).isZero();
        first.release();
        second.release();
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 256 << 10})
    void whatWasGivenBackIsGivenOutAgain(int bytes) {
        ByteBuf first = FrontendMemory.pool().directBuffer(bytes, bytes);
        first.setLong(0, STAMP);
        first.release();

        ByteBuf second = FrontendMemory.pool().directBuffer(bytes, bytes);

        assertThat(second.getLong(0)).isEqualTo(STAMP);
        second.release();
    }
}
