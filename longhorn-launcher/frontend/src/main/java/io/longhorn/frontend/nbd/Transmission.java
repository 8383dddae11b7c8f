package io.longhorn.frontend.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.nio.AbstractNioChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the requests of one connection (section "Transmission").
 *
 * <p><b>In.</b> {@link #consume} cuts what arrives into requests and starts them. One that would exceed the connection's limits, or comes while the client does not read its
 * replies, waits in {@link #waiting}, and nothing behind it is read from the socket until it could start. The payload of a write is used where it was received, if it
 * came in one piece; otherwise the socket is read straight into a buffer of its own.
 *
 * <p><b>Between.</b> {@link DeviceCalls} asks the device for what the requests want.
 *
 * <p><b>Out.</b> A stage that completes on another thread puts its request on {@link #completed}, and only the one who finds that empty has the loop woken, when those that complete
 * together have completed: a burst of completions costs one wake-up and one system call. If it is the only one in flight, its reply is written right there ({@link LoneReply}), and the loop learns of it when it is awake
 * for another reason. A stage that is complete at once is answered on the spot; replies go to the socket when all that arrived together is dealt with ({@link #endBatch}).
 *
 * <p>All but {@link #completed} and the methods that say so belongs to the loop of the connection. A request owns its buffer until its stage completes,
 * also when the connection has gone meanwhile.
 */
final class Transmission extends ChannelInboundHandlerAdapter {

    /** Longer data of reads is the loop's to send. */
    private static final int LONE_DATA_BYTES_MAX = 64 << 10;

    /** How long a client may take to fetch its last replies after it said, or was told, that this is the end. */
    private static final long LAST_REPLIES_SECONDS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Transmission.class);

    private final Shared shared;
    private final Export export;
    private final RequestCheck check;
    private final Replies replies;
    private final DeviceCalls calls;
    /** Null if TLS is between us and the socket. */
    private final @Nullable SocketReads reads;

    private final LoneReply lone;
    private final CompletedRequests completed = new CompletedRequests();
    private final Runnable drain = this::drain;
    private final Runnable wakeLoop = this::wakeLoop;

    private final Channel channel;
    /** Valid from {@link #handlerAdded} on, which comes before everything else on the loop. */
    private ChannelHandlerContext ctx;

    /** A header of which only a part has arrived. */
    private final ByteBuf head = Unpooled.buffer(NbdWire.REQUEST_BYTES, NbdWire.REQUEST_BYTES);

    /** The write whose payload is being received; without buffer if it is refused. */
    private @Nullable Request filling;

    private long fillingLeft;
    /** Must wait for others to end. */
    private @Nullable Request waiting;
    /** What arrived behind it: what one round of reading the socket brings at most. */
    private final ArrayDeque<ByteBuf> unread = new ArrayDeque<>();

    private @Nullable Request free;
    private int inFlight;
    private long bytesInFlight;

    /** Something is going on that ends with {@link #endBatch}. */
    private boolean inBatch;

    /** No further requests are taken: the client said so, or broke the protocol. */
    private boolean ended;
    /** Nothing more will arrive. */
    private boolean inputOver;
    /** The export is served no longer; requests in flight end. */
    private boolean withdrawn;

    private boolean closing;
    private boolean closed;
    private boolean failureLogged;

    /**
     * @param structured whether structured replies were agreed on
     * @param status whether block status was
     * @param reads null if TLS is between us and the socket
     */
    @SuppressWarnings("NullAway.Init") // The context comes with handlerAdded.
    Transmission(
            Shared shared,
            Export export,
            Channel channel,
            boolean structured,
            boolean status,
            @Nullable SocketReads reads) {
        this.channel = channel;
        this.shared = shared;
        this.export = export;
        this.check = new RequestCheck(
                export.device(), structured, status, shared.settings().requestBytesMax());
        this.replies = new Replies(structured);
        this.calls = new DeviceCalls(export.device(), channel.alloc(), shared.workers(), replies.readHeaderBytes());
        this.reads = reads;
        this.lone = new LoneReply(reads == null ? null : socket(channel));
    }

    private static @Nullable SocketChannel socket(Channel channel) {
        return channel.unsafe() instanceof AbstractNioChannel.NioUnsafe nio && nio.ch() instanceof SocketChannel socket
                ? socket
                : null;
    }

    Channel channel() {
        return channel;
    }

    /** Lets requests in flight end, refuses later ones, then closes. Any thread. */
    void withdraw() {
        try {
            channel.eventLoop().execute(() -> {
                withdrawn = true;
                batchOfItsOwn();
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the loop of a connection has ended, and so has the connection: export={}", export.name(), e);
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        this.ctx = ctx;
        LOG.debug("a client is connected: export={}, client={}", export.name(), channel.remoteAddress());
    }

    // In.

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        beginBatch();
        ByteBuf in = (ByteBuf) message;
        if (isFilled(in)) {
            in.release();
            fillingLeft = in.writableBytes();
            if (fillingLeft == 0) {
                filled();
            }
        } else if (waiting != null) {
            unread.add(in);
        } else {
            consume(in);
        }
    }

    /** Whether it is the buffer that {@link SocketReads} was told to fill. */
    @SuppressWarnings("ReferenceEquality") // The same one, not one of the same content.
    private boolean isFilled(ByteBuf in) {
        return filling != null && filling.buffer == in;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        endBatch();
    }

    /** Takes what can be taken now, and keeps the rest. */
    private void consume(ByteBuf in) {
        while (in.isReadable() && waiting == null && !ended) {
            if (filling != null) {
                fill(filling, in);
            } else {
                header(in);
            }
        }
        if (in.isReadable() && !ended) {
            unread.addFirst(in);
        } else {
            in.release();
        }
    }

    private void header(ByteBuf in) {
        if (head.isReadable() || in.readableBytes() < NbdWire.REQUEST_BYTES) {
            head.writeBytes(in, Math.min(head.writableBytes(), in.readableBytes()));
            if (!head.isWritable()) {
                request(head);
                head.clear();
            }
        } else {
            request(in);
        }
    }

    private void request(ByteBuf in) {
        if (in.readInt() != NbdWire.REQUEST_MAGIC) {
            violated("no request begins with these bytes");
            return;
        }
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        long offset = in.readLong();
        long length = in.readUnsignedInt();
        if (type == NbdWire.CMD_DISC) {
            ended = true;
            return;
        }
        Request request = newRequest();
        request.reset(type, flags, cookie, offset, length);
        check.check(request);
        request.heldBytes = request.error != 0 ? 0 : DeviceCalls.heldBytes(request);
        if (mayStart(request)) {
            start(request);
        } else {
            waiting = request;
        }
    }

    /** One request alone may always start, so that it cannot wait for ever. */
    private boolean mayStart(Request request) {
        return channel.isWritable()
                && (inFlight == 0
                        || (inFlight < shared.settings().requestsInFlightMax()
                                && bytesInFlight + request.heldBytes
                                        <= shared.settings().bytesInFlightMax()));
    }

    private void start(Request request) {
        inFlight++;
        bytesInFlight += request.heldBytes;
        if (request.hasPayload()) {
            filling = request;
            fillingLeft = request.length;
        } else {
            execute(request);
        }
    }

    /** Uses or copies what has arrived of a payload. */
    private void fill(Request request, ByteBuf in) {
        if (request.error != 0) {
            int count = (int) Math.min(fillingLeft, in.readableBytes());
            in.skipBytes(count);
            fillingLeft -= count;
        } else if (request.buffer == null && in.readableBytes() >= fillingLeft) {
            request.buffer = in.readRetainedSlice((int) fillingLeft);
            fillingLeft = 0;
        } else {
            ByteBuf buffer = request.buffer;
            if (buffer == null) {
                buffer = calls.buffer(request, (int) request.length);
                if (buffer == null) {
                    return;
                }
                request.buffer = buffer;
            }
            int count = (int) Math.min(fillingLeft, in.readableBytes());
            buffer.writeBytes(in, count);
            fillingLeft -= count;
            if (reads != null && fillingLeft > 0) {
                reads.target(buffer);
            }
        }
        if (fillingLeft == 0) {
            filled();
        }
    }

    private void filled() {
        Request request = filling;
        filling = null;
        if (reads != null) {
            reads.target(null);
        }
        if (request != null) {
            execute(request);
        }
    }

    /** The last step with a request here: it may be answered, and used for the next one, before this returns. */
    private void execute(Request request) {
        if (withdrawn && request.error == 0) {
            request.refuse(NbdWire.ESHUTDOWN, "the export is withdrawn");
        }
        if (request.error != 0 || !calls.begin(request)) {
            reply(request);
        }
    }

    // Out.

    /** A stage of the device has completed; a request that needs another goes on with that one. Any thread. */
    void stageCompleted(Request request) {
        if (request.failure == null && calls.goesOn(request)) {
            return;
        }
        if (inBatch && channel.eventLoop().inEventLoop()) {
            reply(request);
        } else if (!answersHere(request) && completed.add(request)) {
            export.device().afterCompletions(wakeLoop);
        }
    }

    /** Writes the reply of a request that is the only one, if it is simple. The loop need not be told before something else happens to the connection. */
    private boolean answersHere(Request request) {
        boolean hasData = request.type == NbdWire.CMD_READ;
        if (request.failure != null
                || request.error != 0
                || request.extents != null
                || (hasData && (request.buffer == null || request.length > LONE_DATA_BYTES_MAX))
                || !lone.claim()) {
            return false;
        }
        ByteBuf reply = hasData && request.buffer != null ? request.buffer : lone.header();
        if (hasData) {
            replies.putHeader(request, reply);
        } else {
            Replies.putDone(request, reply);
        }
        boolean isWhole;
        try {
            lone.write(reply);
            isWhole = !reply.isReadable();
            if (!isWhole) {
                request.rest = reply.retain();
            }
            request.answered = true;
            if (request.buffer != null) {
                request.buffer.release();
                request.buffer = null;
            }
            boolean unused = completed.add(request);
        } finally {
            lone.end();
        }
        if (!isWhole) {
            wakeLoop();
        }
        return true;
    }

    private void wakeLoop() {
        try {
            channel.eventLoop().execute(drain);
        } catch (RejectedExecutionException e) {
            // The server has stopped, and did not wait for these any longer; nobody else looks at them.
            LOG.debug("requests ended after the server had stopped: export={}", export.name(), e);
            for (Request request = completed.take(); request != null; request = request.next) {
                request.release();
            }
        }
    }

    private void drain() {
        beginBatch();
        replyToCompleted();
        endBatch();
    }

    private void replyToCompleted() {
        Request request = completed.take();
        while (request != null) {
            Request next = request.next;
            reply(request);
            request = next;
        }
    }

    /** Before anything may be written. */
    private void beginBatch() {
        if (!inBatch) {
            inBatch = true;
            lone.recall();
            replyToCompleted();
        }
    }

    private void batchOfItsOwn() {
        if (!inBatch) {
            beginBatch();
            endBatch();
        }
    }

    private void reply(Request request) {
        inFlight--;
        bytesInFlight -= request.heldBytes;
        Request refused = calls.answering(request);
        if (!closed && !closing) {
            encode(request);
        }
        request.release();
        request.next = free;
        free = request;
        if (refused != null) {
            reply(refused);
        }
    }

    private void encode(Request request) {
        if (request.answered) {
            ByteBuf rest = request.rest;
            if (rest != null) {
                request.rest = null;
                replies.takeRest(ctx, rest);
            }
        } else if (request.error != 0) {
            replies.failed(ctx, request, request.error, request.why, null);
        } else if (request.failure != null) {
            Throwable cause = Failures.unwrap(request.failure);
            logFirst(request, cause);
            replies.failed(ctx, request, Failures.error(cause), String.valueOf(cause.getMessage()), cause);
        } else if (request.extents != null) {
            replies.status(ctx, request, request.extents);
        } else if (request.type == NbdWire.CMD_READ && request.buffer != null) {
            ByteBuf buffer = request.buffer;
            request.buffer = null;
            replies.takeData(ctx, request, buffer);
        } else {
            replies.done(ctx, request);
        }
    }

    private void logFirst(Request request, Throwable cause) {
        if (!failureLogged) {
            failureLogged = true;
            LOG.warn(
                    "a request failed, later failures of this connection are not logged: export={}, client={}, command={}, offset={}, length={}",
                    export.name(),
                    channel.remoteAddress(),
                    request.type,
                    request.offset,
                    request.length,
                    cause);
        }
    }

    private Request newRequest() {
        Request request = free;
        if (request == null) {
            return new Request(this);
        }
        free = request.next;
        return request;
    }

    /** After everything that may have made replies, or made room for what waits. */
    private void endBatch() {
        beginBatch();
        do {
            if (!closed && !closing) {
                replies.flush(ctx);
            }
        } while (resumed());
        inBatch = false;
        if (inputOver && waiting == null) {
            dropFilling();
        }
        if (!closed && !closing) {
            channel.config().setAutoRead(waiting == null);
            if (inFlight == 0 && (withdrawn || (waiting == null && (ended || inputOver)))) {
                close();
            } else if (inFlight == 1 && mayBeLone()) {
                lone.allow();
            }
        }
    }

    /** Whether nothing is to be written until the request in flight has its reply, or something else happens to the connection. */
    private boolean mayBeLone() {
        ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
        return waiting == null
                && filling == null
                && !ended
                && !inputOver
                && !withdrawn
                && unsent != null
                && unsent.isEmpty();
    }

    private boolean resumed() {
        Request request = waiting;
        if (request == null || closed || !mayStart(request)) {
            return false;
        }
        waiting = null;
        start(request);
        while (waiting == null && !unread.isEmpty()) {
            consume(unread.remove());
        }
        return true;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        batchOfItsOwn();
    }

    // The end.

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            inputOver = true;
            batchOfItsOwn();
        }
    }

    /** Sends what is left to be sent, then closes. */
    private void close() {
        closing = true;
        var unused = ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        var unusedLimit = ctx.executor().schedule(this::closeNow, LAST_REPLIES_SECONDS, TimeUnit.SECONDS);
    }

    /** The stream cannot be trusted any more. */
    private void violated(String why) {
        LOG.debug(
                "a client is disconnected: export={}, client={}, why={}", export.name(), channel.remoteAddress(), why);
        ended = true;
        closing = true;
        closeNow();
    }

    private void closeNow() {
        var unused = channel.close();
    }

    /** A payload that will not arrive. */
    private void dropFilling() {
        Request request = filling;
        filling = null;
        if (reads != null) {
            reads.target(null);
        }
        if (request != null) {
            inFlight--;
            bytesInFlight -= request.heldBytes;
            request.release();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        violated(String.valueOf(cause.getMessage()));
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closed = true;
        ended = true;
        dropFilling();
        waiting = null;
        unread.forEach(ByteBuf::release);
        unread.clear();
        lone.release();
        replies.release();
        export.leave(this);
        LOG.debug("a client is gone: export={}, client={}", export.name(), channel.remoteAddress());
    }
}
