package io.longhorn.frontend.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.channels.GatheringByteChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the reply to the only request of a connection go to its socket where the device's stage completes, which spares waking the connection's loop: a client that waits for each reply
 * has it that much sooner. The loop says when it has nothing to write itself ({@link #allow}) and takes that back before it writes again ({@link #recall}), so that at most one thread
 * writes.
 *
 * <pre>
 * NOBODY --allow()--> ALLOWED --claim()--> WRITING --end()--> NOBODY
 *                     ALLOWED --recall()--------------------> NOBODY
 * </pre>
 *
 * Loop of the connection only, but for {@link #claim}, {@link #write} and {@link #end}.
 */
final class LoneReply {

    private static final int NOBODY = 0;
    private static final int ALLOWED = 1;
    private static final int WRITING = 2;

    private static final Logger LOG = LoggerFactory.getLogger(LoneReply.class);

    private final AtomicInteger state = new AtomicInteger(NOBODY);
    private final @Nullable GatheringByteChannel socket;
    /** Made when first allowed. */
    private ByteBuf header = Unpooled.EMPTY_BUFFER;

    /** @param socket in non-blocking mode; null if TLS is between us and it, and then nothing is ever allowed */
    LoneReply(@Nullable GatheringByteChannel socket) {
        this.socket = socket;
    }

    /** One request is in flight, everything is sent, and the loop has nothing to write until {@link #recall}. */
    void allow() {
        if (socket != null) {
            if (header.capacity() == 0) {
                header = Unpooled.directBuffer(NbdWire.SIMPLE_REPLY_BYTES, NbdWire.SIMPLE_REPLY_BYTES);
            }
            state.set(ALLOWED);
        }
    }

    /** From its return on nobody but the loop writes. What another thread wrote is known by then. Waits for one system call at most, which does not block. */
    void recall() {
        while (state.get() != NOBODY && !state.compareAndSet(ALLOWED, NOBODY)) {
            Thread.onSpinWait();
        }
    }

    /** Whether the caller may write; then {@link #end} has to follow. Any thread. */
    boolean claim() {
        return state.get() == ALLOWED && state.compareAndSet(ALLOWED, WRITING);
    }

    /** Empty memory for a reply without data, used again for the next: the loop allows that only when it has sent what was left of this one. After {@link #claim}. */
    ByteBuf header() {
        return header.clear();
    }

    /** Writes what the socket takes of a reply. After {@link #claim}. A socket that is broken takes nothing: the loop will find that out as well. */
    void write(ByteBuf reply) {
        try {
            if (socket != null) {
                int unused = reply.readBytes(socket, reply.readableBytes());
            }
        } catch (IOException e) {
            LOG.debug("a reply could not be written", e);
        }
    }

    /** The reply, or what is left of it, was handed to the loop. After {@link #claim}. */
    void end() {
        state.set(NOBODY);
    }

    /** The connection has gone. */
    void release() {
        recall();
        header.release();
    }
}
