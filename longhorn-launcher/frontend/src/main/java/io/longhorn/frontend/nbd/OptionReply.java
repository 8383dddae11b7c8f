package io.longhorn.frontend.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;

/** Writes answers to options (section "Fixed newstyle negotiation"); does not flush. */
final class OptionReply {

    private OptionReply() {}

    static void write(ChannelHandlerContext ctx, int option, int type) {
        send(ctx, begin(ctx, option, type, 0));
    }

    static void write(ChannelHandlerContext ctx, int option, int type, String message) {
        byte[] text = message.getBytes(StandardCharsets.UTF_8);
        send(ctx, begin(ctx, option, type, text.length).writeBytes(text));
    }

    static void server(ChannelHandlerContext ctx, Export export) {
        byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
        byte[] description = export.description().getBytes(StandardCharsets.UTF_8);
        ByteBuf reply = begin(ctx, NbdWire.OPT_LIST, NbdWire.REP_SERVER, 4 + name.length + description.length);
        send(ctx, reply.writeInt(name.length).writeBytes(name).writeBytes(description));
    }

    static void export(ChannelHandlerContext ctx, int option, Export export, boolean structured) {
        ByteBuf reply = begin(ctx, option, NbdWire.REP_INFO, 12);
        reply.writeShort(NbdWire.INFO_EXPORT);
        reply.writeLong(export.device().sizeBytes());
        send(ctx, reply.writeShort(export.transmissionFlags(structured)));
    }

    static void info(ChannelHandlerContext ctx, int option, int info, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteBuf reply = begin(ctx, option, NbdWire.REP_INFO, 2 + bytes.length);
        send(ctx, reply.writeShort(info).writeBytes(bytes));
    }

    static void blockSizes(ChannelHandlerContext ctx, int option, int requestBytesMax) {
        ByteBuf reply = begin(ctx, option, NbdWire.REP_INFO, 14);
        reply.writeShort(NbdWire.INFO_BLOCK_SIZE);
        reply.writeInt(NbdWire.MIN_BLOCK_BYTES);
        reply.writeInt(NbdWire.PREFERRED_BLOCK_BYTES);
        send(ctx, reply.writeInt(requestBytesMax));
    }

    static void metaContext(ChannelHandlerContext ctx, int option, int id) {
        byte[] name = NbdWire.BASE_ALLOCATION.getBytes(StandardCharsets.UTF_8);
        ByteBuf reply = begin(ctx, option, NbdWire.REP_META_CONTEXT, 4 + name.length);
        send(ctx, reply.writeInt(id).writeBytes(name));
    }

    private static ByteBuf begin(ChannelHandlerContext ctx, int option, int type, int length) {
        ByteBuf reply = ctx.alloc().directBuffer(NbdWire.OPTION_REPLY_HEADER_BYTES + length);
        reply.writeLong(NbdWire.OPTION_REPLY_MAGIC);
        reply.writeInt(option);
        reply.writeInt(type);
        return reply.writeInt(length);
    }

    private static void send(ChannelHandlerContext ctx, ByteBuf reply) {
        var unused = ctx.write(reply, ctx.voidPromise());
    }
}
