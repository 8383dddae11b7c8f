package io.longhorn.frontend.nbd;

import io.longhorn.DamagedBlockException;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.Volume;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the replies of one connection (sections "Simple reply message" and "Structured reply chunk message"). Short ones are gathered in a common buffer until
 * {@link #flush}; data goes out with the buffer that it was read into, in whose beginning its header is put. Loop of the connection only.
 */
final class Replies {

    /** Room for the short replies of a deep queue. */
    private static final int GATHERED_BYTES = 1 << 10;

    /** Longer messages are cut: they are for people. */
    private static final int MESSAGE_BYTES_MAX = 200;

    /** The most descriptors in a reply to a block status request; the client asks again behind the last one. */
    static final int DESCRIPTORS_MAX = 4096;

    private final boolean structured;
    private @Nullable ByteBuf gathered;
    private boolean unflushed;

    Replies(boolean structured) {
        this.structured = structured;
    }

    /** How many bytes a buffer for a read leaves free before the data. */
    int readHeaderBytes() {
        return structured ? NbdWire.CHUNK_HEADER_BYTES + NbdWire.CHUNK_OFFSET_BYTES : NbdWire.SIMPLE_REPLY_BYTES;
    }

    void done(ChannelHandlerContext ctx, Request request) {
        if (request.type == NbdWire.CMD_READ && structured) {
            // Only an empty read: it has no data that a chunk could carry.
            chunk(gather(ctx, NbdWire.CHUNK_HEADER_BYTES), NbdWire.CHUNK_NONE, request, 0);
        } else {
            simple(gather(ctx, NbdWire.SIMPLE_REPLY_BYTES), 0, request);
        }
    }

    /** Sends the data of a read; takes the request's buffer. */
    void takeData(ChannelHandlerContext ctx, Request request, ByteBuf buffer) {
        putHeader(request, buffer);
        write(ctx, buffer);
    }

    /** Sends what is left of a reply; takes it. */
    void takeRest(ChannelHandlerContext ctx, ByteBuf rest) {
        write(ctx, rest);
    }

    /** Makes the buffer with the data of a read a reply. Any thread. */
    void putHeader(Request request, ByteBuf buffer) {
        buffer.setIndex(0, 0);
        if (structured) {
            int length = NbdWire.CHUNK_OFFSET_BYTES + (int) request.length;
            chunk(buffer, NbdWire.CHUNK_OFFSET_DATA, request, length);
            buffer.writeLong(request.offset);
        } else {
            simple(buffer, 0, request);
        }
        buffer.writerIndex(buffer.writerIndex() + (int) request.length);
    }

    /** Writes the reply to a request that succeeded, and has no data. Any thread. */
    static void putDone(Request request, ByteBuf reply) {
        simple(reply, 0, request);
    }

    void status(ChannelHandlerContext ctx, Request request, List<Extent> extents) {
        int max = request.has(NbdWire.CMD_FLAG_REQ_ONE) ? 1 : DESCRIPTORS_MAX;
        ByteBuf reply = ctx.alloc().directBuffer(NbdWire.CHUNK_HEADER_BYTES + 4 + 8 * Math.min(max, extents.size()));
        reply.writerIndex(NbdWire.CHUNK_HEADER_BYTES);
        reply.writeInt(NbdWire.BASE_ALLOCATION_ID);
        int count = 0;
        int at = 0;
        while (at < extents.size() && count < max) {
            int flags = flags(extents.get(at));
            long length = 0;
            // Neighbours of other states of ours may have the same flags.
            while (at < extents.size() && flags(extents.get(at)) == flags) {
                length += extents.get(at).lengthBytes();
                at++;
            }
            reply.writeInt((int) length).writeInt(flags);
            count++;
        }
        int end = reply.writerIndex();
        chunk(reply.setIndex(0, 0), NbdWire.CHUNK_BLOCK_STATUS, request, end - NbdWire.CHUNK_HEADER_BYTES);
        write(ctx, reply.writerIndex(end));
    }

    /** What was never written, or was given back, takes space when it is written. */
    private static int flags(Extent extent) {
        return extent.state() == ExtentState.DATA ? 0 : NbdWire.STATE_HOLE | NbdWire.STATE_ZERO;
    }

    void failed(ChannelHandlerContext ctx, Request request, int error, String message, @Nullable Throwable cause) {
        if (!structured) {
            simple(gather(ctx, NbdWire.SIMPLE_REPLY_BYTES), error, request);
            return;
        }
        byte[] text = message.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, MESSAGE_BYTES_MAX);
        boolean placed = request.type == NbdWire.CMD_READ && request.length > 0;
        int payload = 6 + length + (placed ? 8 : 0);
        ByteBuf reply = gather(ctx, NbdWire.CHUNK_HEADER_BYTES + payload);
        chunk(reply, placed ? NbdWire.CHUNK_ERROR_OFFSET : NbdWire.CHUNK_ERROR, request, payload);
        reply.writeInt(error);
        reply.writeShort(length);
        reply.writeBytes(text, 0, length);
        if (placed) {
            reply.writeLong(failedOffset(request, cause));
        }
    }

    /** The first byte of the request that is known to be unreadable. */
    private static long failedOffset(Request request, @Nullable Throwable cause) {
        if (cause instanceof DamagedBlockException damaged) {
            long offset = damaged.block() * Volume.BLOCK_BYTES;
            if (offset > request.offset && offset < request.offset + request.length) {
                return offset;
            }
        }
        return request.offset;
    }

    /** Hands everything to the socket. */
    void flush(ChannelHandlerContext ctx) {
        sendGathered(ctx);
        if (unflushed) {
            unflushed = false;
            ctx.flush();
        }
    }

    void release() {
        if (gathered != null) {
            gathered.release();
            gathered = null;
        }
    }

    private ByteBuf gather(ChannelHandlerContext ctx, int bytes) {
        if (gathered != null && gathered.writableBytes() < bytes) {
            sendGathered(ctx);
        }
        if (gathered == null) {
            gathered = ctx.alloc().directBuffer(GATHERED_BYTES, GATHERED_BYTES);
        }
        return gathered;
    }

    private void sendGathered(ChannelHandlerContext ctx) {
        if (gathered != null) {
            ByteBuf full = gathered;
            gathered = null;
            write(ctx, full);
        }
    }

    private void write(ChannelHandlerContext ctx, ByteBuf reply) {
        unflushed = true;
        var unused = ctx.write(reply, ctx.voidPromise());
    }

    private static void simple(ByteBuf reply, int error, Request request) {
        reply.writeInt(NbdWire.SIMPLE_REPLY_MAGIC);
        reply.writeInt(error);
        reply.writeLong(request.cookie);
    }

    /** Every reply is one chunk. */
    private static void chunk(ByteBuf reply, int type, Request request, int length) {
        reply.writeInt(NbdWire.STRUCTURED_REPLY_MAGIC);
        reply.writeShort(NbdWire.CHUNK_FLAG_DONE);
        reply.writeShort(type);
        reply.writeLong(request.cookie);
        reply.writeInt(length);
    }
}
