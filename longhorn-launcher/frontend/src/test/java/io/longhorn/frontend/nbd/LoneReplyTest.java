package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LoneReplyTest {

    /** Takes so many bytes in all, and then none. */
    private static final class Socket implements GatheringByteChannel {
        private final ByteBuffer taken;
        private boolean broken;

        Socket(int bytesMax) {
            taken = ByteBuffer.allocate(bytesMax);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (broken) {
                throw new IOException("broken on purpose");
            }
            int count = Math.min(source.remaining(), taken.remaining());
            taken.put(source.slice(source.position(), count));
            source.position(source.position() + count);
            return count;
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] sources) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    @Test
    void mayBeWrittenOnceForEachTimeTheLoopAllowsIt() {
        LoneReply lone = new LoneReply(new Socket(16));

        assertThat(lone.claim()).isFalse();
        lone.allow();
        assertThat(lone.claim()).isTrue();
        assertThat(lone.claim()).isFalse();
        lone.end();
        assertThat(lone.claim()).isFalse();
        lone.allow();
        lone.recall();
        assertThat(lone.claim()).isFalse();
        lone.release();
    }

    @Test
    void isNeverAllowedWithoutASocket() {
        LoneReply lone = new LoneReply(null);
        lone.allow();

        assertThat(lone.claim()).isFalse();
    }

    @Test
    void whatTheSocketDoesNotTakeIsLeft() {
        Socket socket = new Socket(5);
        LoneReply lone = new LoneReply(socket);
        lone.allow();
        assertThat(lone.claim()).isTrue();
        ByteBuf reply = lone.header().writeLong(0x0102030405060708L);

        lone.write(reply);

        assertThat(socket.taken.array()).containsExactly(1, 2, 3, 4, 5);
        assertThat(reply.readableBytes()).isEqualTo(3);
        assertThat(reply.readByte()).isEqualTo((byte) 6);
        lone.end();
        lone.release();
    }

    @Test
    void aBrokenSocketTakesNothing() {
        Socket socket = new Socket(16);
        socket.broken = true;
        LoneReply lone = new LoneReply(socket);
        lone.allow();
        assertThat(lone.claim()).isTrue();
        ByteBuf reply = Unpooled.wrappedBuffer(new byte[8]);

        lone.write(reply);

        assertThat(reply.readableBytes()).isEqualTo(8);
        lone.end();
        lone.release();
    }

    @Test
    void theLoopAndWhoeverEndsTheRequestNeverWriteTogether() throws Exception {
        int rounds = 200_000;
        LoneReply lone = new LoneReply(new Socket(0));
        AtomicInteger writers = new AtomicInteger();
        AtomicInteger together = new AtomicInteger();
        AtomicInteger claims = new AtomicInteger();
        Thread other = new Thread(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                if (lone.claim()) {
                    claims.incrementAndGet();
                    together.addAndGet(writers.getAndIncrement());
                    writers.getAndDecrement();
                    lone.end();
                }
            }
        });
        other.start();
        for (int i = 0; i < rounds || claims.get() == 0; i++) {
            lone.allow();
            lone.recall();
            together.addAndGet(writers.getAndIncrement());
            writers.getAndDecrement();
        }
        other.interrupt();
        other.join();

        assertThat(together).hasValue(0);
        lone.release();
    }
}
