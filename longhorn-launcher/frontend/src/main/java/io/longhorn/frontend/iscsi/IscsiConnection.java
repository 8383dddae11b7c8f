package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection, which is all that a session has: reads PDUs and hands them to its {@link Phase}, flushes once for all that one read brought, and reads no more from an initiator
 * that does not take what it is sent. Event loop only, but for {@link #ended}.
 */
final class IscsiConnection extends ChannelInboundHandlerAdapter implements PduReader.Listener {

    private static final Logger LOG = LoggerFactory.getLogger(IscsiConnection.class);

    private final PortalState portal;
    private final CommandWindow window;
    private final PduReader reader;
    private @Nullable Core core;

    /** What exists from the registration of the channel on. */
    private record Core(ChannelHandlerContext context, PduWriter writer, Promise<Void> ended) {}

    private @Nullable Phase phase;
    private @Nullable Future<?> loginTimer;
    private long pdusReceived;

    IscsiConnection(PortalState portal) {
        this.portal = portal;
        window = new CommandWindow(portal.settings().commandsInFlightMax());
        reader = new PduReader(this, IscsiSettings.SEGMENT_DEFAULT);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        PduWriter writer = new PduWriter(context, window);
        core = new Core(context, writer, context.executor().newPromise());
        phase = new LoginPhase(portal, this);
        loginTimer = context.executor()
                .schedule(
                        () -> close("login took too long"),
                        portal.settings().loginLimit().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    Channel channel() {
        return core().context.channel();
    }

    ChannelHandlerContext context() {
        return core().context;
    }

    PduWriter writer() {
        return core().writer;
    }

    PduReader reader() {
        return reader;
    }

    CommandWindow window() {
        return window;
    }

    /** Any thread: complete when the connection is closed and all that its session had in flight has ended. */
    Future<Void> ended() {
        return core().ended;
    }

    /** How many PDUs came so far; whether that grows tells whether the initiator is there. */
    long pdusReceived() {
        return pdusReceived;
    }

    /** Where the initiator connected to. */
    InetSocketAddress localAddress() {
        return (InetSocketAddress) channel().localAddress();
    }

    /** The login is done. */
    void enter(Phase next) {
        phase = next;
        if (loginTimer != null) {
            loginTimer.cancel(false);
        }
    }

    /** Closes the connection at once. */
    void close(String why) {
        LOG.debug("iSCSI connection is closed: remote={} why={}", channel().remoteAddress(), why);
        reader.stop();
        var unused = channel().close();
    }

    /** Closes the connection when all is sent that was written. */
    void closeAfterFlush() {
        reader.stop();
        var unused = core().context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /** The phase is over, and nothing of it is in flight. */
    void allEnded() {
        core().ended.trySuccess(null);
    }

    /** Sends what was written, and stops reading while the initiator does not take it. */
    void flush() {
        PduWriter writer = writer();
        if (writer.needsFlush()) {
            writer.flushed();
            core().context.flush();
        }
        if (!channel().isWritable()) {
            channel().config().setAutoRead(false);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf piece = (ByteBuf) message;
        try {
            reader.read(piece);
        } finally {
            piece.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        phase().readComplete();
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (channel().isWritable()) {
            phase().writable();
            flush();
            if (channel().isWritable()) {
                channel().config().setAutoRead(true);
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        reader.stop();
        if (loginTimer != null) {
            loginTimer.cancel(false);
        }
        phase().closed();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException) {
            close(String.valueOf(cause.getMessage()));
        } else {
            LOG.error("iSCSI connection failed: remote={}", channel().remoteAddress(), cause);
            close("failure of our own");
        }
    }

    @Override
    public DataSink sinkOf(PduHeader header) {
        return phase().sinkOf(header);
    }

    @Override
    public void received(PduHeader header, boolean dataIsIntact) {
        pdusReceived++;
        phase().received(header, dataIsIntact);
    }

    @Override
    public void unreadable(String why) {
        phase().unreadable(why);
    }

    private Core core() {
        Core present = core;
        if (present == null) {
            throw new IllegalStateException("the channel is not registered yet");
        }
        return present;
    }

    private Phase phase() {
        Phase present = phase;
        if (present == null) {
            throw new IllegalStateException("the channel is not registered yet");
        }
        return present;
    }
}
