package io.longhorn.frontend.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settles with a client which export it uses and how (section "Handshake"), then gives the connection to a {@link Transmission}. Only fixed newstyle negotiation; a client that
 * does not know it can choose an export and nothing else. Loop of the connection only.
 */
final class Handshake extends ChannelInboundHandlerAdapter {

    /** The longest data of an option: room for an export name and some hundred queries. What is longer is skipped and refused. */
    private static final int OPTION_BYTES_MAX = 64 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(Handshake.class);

    private enum Step {
        CLIENT_FLAGS,
        OPTION,
        OVER
    }

    private final Shared shared;
    private final SocketReads reads;
    private @Nullable ByteBuf input;
    private @Nullable ScheduledFuture<?> limit;
    private Step step = Step.CLIENT_FLAGS;
    private boolean decoding;
    private boolean fixedNewstyle;
    private boolean noZeroes;
    private boolean encrypted;
    private boolean structured;
    /** For which export block status was agreed on; another one is used without. */
    private @Nullable Export statusOf;
    /** Of an option that is too long and whose data is skipped; 0 if there is none. */
    private long skipBytes;

    private int skippedOption;

    Handshake(Shared shared, SocketReads reads) {
        this.shared = shared;
        this.reads = reads;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        limit = ctx.executor()
                .schedule(
                        () -> {
                            LOG.debug(
                                    "a client took too long for its handshake: client={}",
                                    ctx.channel().remoteAddress());
                            var unused = ctx.close();
                        },
                        shared.settings().handshakeLimit().toNanos(),
                        TimeUnit.NANOSECONDS);
        ByteBuf greeting = ctx.alloc().directBuffer(18);
        greeting.writeLong(NbdWire.INIT_MAGIC);
        greeting.writeLong(NbdWire.OPTION_MAGIC);
        greeting.writeShort(NbdWire.FLAG_FIXED_NEWSTYLE | NbdWire.FLAG_NO_ZEROES);
        var unused = ctx.writeAndFlush(greeting, ctx.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf more = (ByteBuf) message;
        if (step == Step.OVER) {
            more.release();
        } else if (input == null) {
            input = more;
        } else {
            input.writeBytes(more);
            more.release();
        }
        decode(ctx);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        decode(ctx);
    }

    /** A client that does not read its answers is not read from either. Writing tells of changes of writability at once, which must not begin the next option within one. */
    private void decode(ChannelHandlerContext ctx) {
        if (decoding) {
            return;
        }
        decoding = true;
        boolean progress;
        do {
            progress = false;
            while (input != null && ctx.channel().isWritable() && decodeStep(ctx, input)) {
                progress = true;
            }
            if (step != Step.OVER) {
                ctx.flush();
            }
        } while (progress && ctx.channel().isWritable());
        decoding = false;
        if (input != null && !input.isReadable()) {
            input.release();
            input = null;
        }
        if (step != Step.OVER) {
            ctx.channel().config().setAutoRead(ctx.channel().isWritable());
        }
    }

    private boolean decodeStep(ChannelHandlerContext ctx, ByteBuf in) {
        if (step == Step.OVER) {
            in.skipBytes(in.readableBytes());
            return false;
        }
        if (step == Step.CLIENT_FLAGS) {
            return in.readableBytes() >= 4 && clientFlags(ctx, in.readInt());
        }
        if (skipBytes > 0) {
            return skip(ctx, in);
        }
        if (in.readableBytes() < NbdWire.OPTION_HEADER_BYTES) {
            return false;
        }
        int at = in.readerIndex();
        if (in.getLong(at) != NbdWire.OPTION_MAGIC) {
            return disconnect(ctx, "no option begins with these bytes");
        }
        int option = in.getInt(at + 8);
        long length = in.getUnsignedInt(at + 12);
        if (length > OPTION_BYTES_MAX) {
            if (option == NbdWire.OPT_EXPORT_NAME) {
                return disconnect(ctx, "the export name is too long");
            }
            in.skipBytes(NbdWire.OPTION_HEADER_BYTES);
            skippedOption = option;
            skipBytes = length;
            return true;
        }
        if (in.readableBytes() < NbdWire.OPTION_HEADER_BYTES + length) {
            return false;
        }
        in.skipBytes(NbdWire.OPTION_HEADER_BYTES);
        ByteBuf data = in.readSlice((int) length);
        option(ctx, option, data, in);
        return step != Step.OVER;
    }

    private boolean clientFlags(ChannelHandlerContext ctx, int flags) {
        if ((flags & ~(NbdWire.FLAG_FIXED_NEWSTYLE | NbdWire.FLAG_NO_ZEROES)) != 0) {
            return disconnect(ctx, "unknown client flags");
        }
        fixedNewstyle = (flags & NbdWire.FLAG_FIXED_NEWSTYLE) != 0;
        noZeroes = (flags & NbdWire.FLAG_NO_ZEROES) != 0;
        step = Step.OPTION;
        return true;
    }

    private boolean skip(ChannelHandlerContext ctx, ByteBuf in) {
        int count = (int) Math.min(skipBytes, in.readableBytes());
        in.skipBytes(count);
        skipBytes -= count;
        if (skipBytes > 0) {
            return false;
        }
        refuse(ctx, skippedOption, NbdWire.REP_ERR_TOO_BIG, "more than " + OPTION_BYTES_MAX + " bytes of data");
        return true;
    }

    private void option(ChannelHandlerContext ctx, int option, ByteBuf data, ByteBuf in) {
        if (!fixedNewstyle && option != NbdWire.OPT_EXPORT_NAME) {
            disconnect(ctx, "an option, but fixed newstyle was not agreed on");
            return;
        }
        boolean needsTls = shared.settings().tlsMode() == NbdTlsMode.REQUIRED && !encrypted;
        switch (option) {
            case NbdWire.OPT_EXPORT_NAME -> exportName(ctx, data, in, needsTls);
            case NbdWire.OPT_ABORT -> abort(ctx);
            case NbdWire.OPT_STARTTLS -> startTls(ctx, data, in);
            default -> {
                if (needsTls) {
                    refuse(ctx, option, NbdWire.REP_ERR_TLS_REQD, "this server talks TLS only");
                } else {
                    openOption(ctx, option, data, in);
                }
            }
        }
    }

    private void openOption(ChannelHandlerContext ctx, int option, ByteBuf data, ByteBuf in) {
        switch (option) {
            case NbdWire.OPT_LIST -> list(ctx, data);
            case NbdWire.OPT_INFO, NbdWire.OPT_GO -> info(ctx, option, data, in);
            case NbdWire.OPT_STRUCTURED_REPLY -> structuredReply(ctx, data);
            case NbdWire.OPT_LIST_META_CONTEXT, NbdWire.OPT_SET_META_CONTEXT -> metaContext(ctx, option, data);
            default -> refuse(ctx, option, NbdWire.REP_ERR_UNSUP, "this option is not known here");
        }
    }

    private void exportName(ChannelHandlerContext ctx, ByteBuf data, ByteBuf in, boolean needsTls) {
        Export export = needsTls || data.readableBytes() > NbdWire.NAME_BYTES_MAX
                ? null
                : shared.exports().find(data.toString(StandardCharsets.UTF_8));
        if (export == null) {
            // This option cannot be answered with an error.
            disconnect(ctx, needsTls ? "TLS is required" : "no such export");
            return;
        }
        Transmission transmission = transmission(ctx, export);
        if (!export.enter(transmission)) {
            disconnect(ctx, "no such export");
            return;
        }
        ByteBuf reply = ctx.alloc().directBuffer(10 + NbdWire.ZEROES_BYTES);
        reply.writeLong(export.device().sizeBytes());
        reply.writeShort(export.transmissionFlags(structured));
        if (!noZeroes) {
            reply.writeZero(NbdWire.ZEROES_BYTES);
        }
        var unused = ctx.writeAndFlush(reply, ctx.voidPromise());
        transmit(ctx, transmission, in);
    }

    private void abort(ChannelHandlerContext ctx) {
        step = Step.OVER;
        OptionReply.write(ctx, NbdWire.OPT_ABORT, NbdWire.REP_ACK);
        var unused = ctx.writeAndFlush(ctx.alloc().directBuffer(0)).addListener(ChannelFutureListener.CLOSE);
    }

    private void startTls(ChannelHandlerContext ctx, ByteBuf data, ByteBuf in) {
        SslContext tls = shared.tls();
        if (tls == null) {
            refuse(ctx, NbdWire.OPT_STARTTLS, NbdWire.REP_ERR_POLICY, "this server does not talk TLS");
        } else if (encrypted || data.isReadable()) {
            refuse(ctx, NbdWire.OPT_STARTTLS, NbdWire.REP_ERR_INVALID, "TLS runs already, or the option has data");
        } else if (in.isReadable()) {
            // The client waits for the answer before it says more, so this was slipped in on the way: it must not count
            // as if it had come encrypted.
            disconnect(ctx, "bytes between the option STARTTLS and its answer");
        } else {
            OptionReply.write(ctx, NbdWire.OPT_STARTTLS, NbdWire.REP_ACK);
            ctx.flush();
            SslHandler handler = tls.newHandler(ctx.alloc(), shared.workers());
            ctx.pipeline().addFirst(handler);
            encrypted = true;
            // What was agreed on in the open may have been changed on the way.
            structured = false;
            statusOf = null;
        }
    }

    private void list(ChannelHandlerContext ctx, ByteBuf data) {
        if (data.isReadable()) {
            refuse(ctx, NbdWire.OPT_LIST, NbdWire.REP_ERR_INVALID, "the option takes no data");
            return;
        }
        for (Export export : shared.exports().all()) {
            OptionReply.server(ctx, export);
        }
        OptionReply.write(ctx, NbdWire.OPT_LIST, NbdWire.REP_ACK);
    }

    private void structuredReply(ChannelHandlerContext ctx, ByteBuf data) {
        if (data.isReadable()) {
            refuse(ctx, NbdWire.OPT_STRUCTURED_REPLY, NbdWire.REP_ERR_INVALID, "the option takes no data");
            return;
        }
        structured = true;
        OptionReply.write(ctx, NbdWire.OPT_STRUCTURED_REPLY, NbdWire.REP_ACK);
    }

    private void info(ChannelHandlerContext ctx, int option, ByteBuf data, ByteBuf in) {
        String name = name(data);
        int count = name != null && data.readableBytes() >= 2 ? data.readUnsignedShort() : -1;
        if (name == null || data.readableBytes() != 2L * count) {
            refuse(ctx, option, NbdWire.REP_ERR_INVALID, "the lengths in the option do not fit");
            return;
        }
        Export export = shared.exports().find(name);
        Transmission transmission = export != null && option == NbdWire.OPT_GO ? transmission(ctx, export) : null;
        if (export == null || (transmission != null && !export.enter(transmission))) {
            refuse(ctx, option, NbdWire.REP_ERR_UNKNOWN, "no such export");
            return;
        }
        OptionReply.export(ctx, option, export, structured);
        boolean named = false;
        boolean described = false;
        boolean sized = false;
        for (int i = 0; i < count; i++) {
            int wanted = data.readUnsignedShort();
            named |= wanted == NbdWire.INFO_NAME;
            described |= wanted == NbdWire.INFO_DESCRIPTION;
            sized |= wanted == NbdWire.INFO_BLOCK_SIZE;
        }
        if (named) {
            OptionReply.info(ctx, option, NbdWire.INFO_NAME, export.name());
        }
        if (described && !export.description().isEmpty()) {
            OptionReply.info(ctx, option, NbdWire.INFO_DESCRIPTION, export.description());
        }
        if (sized) {
            OptionReply.blockSizes(ctx, option, shared.settings().requestBytesMax());
        }
        OptionReply.write(ctx, option, NbdWire.REP_ACK);
        if (transmission != null) {
            ctx.flush();
            transmit(ctx, transmission, in);
        }
    }

    private void metaContext(ChannelHandlerContext ctx, int option, ByteBuf data) {
        String name = structured ? name(data) : null;
        List<String> queries = name == null ? null : queries(data);
        if (name == null || queries == null) {
            refuse(ctx, option, NbdWire.REP_ERR_INVALID, "structured replies come first, and lengths must fit");
            return;
        }
        boolean set = option == NbdWire.OPT_SET_META_CONTEXT;
        Export export = shared.exports().find(name);
        if (set) {
            statusOf = null;
        }
        if (export == null) {
            refuse(ctx, option, NbdWire.REP_ERR_UNKNOWN, "no such export");
            return;
        }
        boolean chosen = set ? queries.contains(NbdWire.BASE_ALLOCATION) : isListed(queries);
        if (chosen) {
            OptionReply.metaContext(ctx, option, set ? NbdWire.BASE_ALLOCATION_ID : 0);
            if (set) {
                statusOf = export;
            }
        }
        OptionReply.write(ctx, option, NbdWire.REP_ACK);
    }

    private static boolean isListed(List<String> queries) {
        return queries.isEmpty()
                || queries.contains(NbdWire.BASE_NAMESPACE)
                || queries.contains(NbdWire.BASE_ALLOCATION);
    }

    /** Null if the data does not hold a whole name. */
    private static @Nullable String name(ByteBuf data) {
        if (data.readableBytes() < 4) {
            return null;
        }
        long length = data.readUnsignedInt();
        return length > NbdWire.NAME_BYTES_MAX || length > data.readableBytes()
                ? null
                : data.readCharSequence((int) length, StandardCharsets.UTF_8).toString();
    }

    /** Null if the data is something else than that many queries, each with the namespace that section "Metadata querying" asks for. */
    private static @Nullable List<String> queries(ByteBuf data) {
        if (data.readableBytes() < 4) {
            return null;
        }
        long count = data.readUnsignedInt();
        List<String> queries = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            String query = name(data);
            if (query == null || query.indexOf(':') < 1) {
                return null;
            }
            queries.add(query);
        }
        return data.isReadable() ? null : queries;
    }

    private Transmission transmission(ChannelHandlerContext ctx, Export export) {
        boolean status = structured && export == statusOf;
        return new Transmission(shared, export, ctx.channel(), structured, status, encrypted ? null : reads);
    }

    private void transmit(ChannelHandlerContext ctx, Transmission transmission, ByteBuf in) {
        step = Step.OVER;
        cancelLimit();
        ByteBuf rest = in.isReadable() ? in.readRetainedSlice(in.readableBytes()) : null;
        ctx.channel().config().setAutoRead(true);
        ctx.pipeline().replace(this, "transmission", transmission);
        if (rest != null) {
            ChannelHandlerContext next = ctx.pipeline().context(transmission);
            transmission.channelRead(next, rest);
            transmission.channelReadComplete(next);
        }
    }

    private void refuse(ChannelHandlerContext ctx, int option, int error, String why) {
        OptionReply.write(ctx, option, error, why);
    }

    private boolean disconnect(ChannelHandlerContext ctx, String why) {
        LOG.debug("a client is disconnected: client={}, why={}", ctx.channel().remoteAddress(), why);
        step = Step.OVER;
        var unused = ctx.close();
        return false;
    }

    private void cancelLimit() {
        if (limit != null) {
            var unused = limit.cancel(false);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            var unused = ctx.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        disconnect(ctx, String.valueOf(cause.getMessage()));
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        cancelLimit();
        step = Step.OVER;
        if (input != null) {
            input.release();
            input = null;
        }
    }
}
