package io.longhorn.frontend.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Decides into which buffer a socket is read: while the payload of a write is awaited, straight into the buffer of that write, and never beyond it, so that the next read begins
 * with a request. Otherwise into a buffer as large as what came lately. One per connection; its loop.
 */
final class SocketReads extends DefaultMaxMessagesRecvByteBufAllocator {

    private static final int BYTES_MIN = 2 << 10;
    private static final int BYTES_MAX = 64 << 10;

    private @Nullable ByteBuf target;

    /** The next reads go to the writable bytes of {@code buffer}, which stays the caller's; null for a buffer of their own. */
    void target(@Nullable ByteBuf buffer) {
        target = buffer;
    }

    @Override
    public MaxMessageHandle newHandle() {
        return new Guess();
    }

    private final class Guess extends MaxMessageHandle {

        private int bytes = BYTES_MIN;

        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
            return target == null ? allocator.directBuffer(bytes) : target.retain();
        }

        @Override
        public int guess() {
            return bytes;
        }

        @Override
        public void lastBytesRead(int count) {
            super.lastBytesRead(count);
            if (target != null || count <= 0) {
                return;
            }
            if (count == bytes) {
                bytes = Math.min(BYTES_MAX, bytes * 4);
            } else if (count < bytes / 8) {
                bytes = Math.max(BYTES_MIN, bytes / 2);
            }
        }
    }
}
