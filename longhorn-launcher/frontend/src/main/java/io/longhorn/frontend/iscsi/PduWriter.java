package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.util.zip.CRC32C;

/** Writes the PDUs of a connection: numbers them, adds digests. Flushing is the caller's. Event loop only. */
final class PduWriter {

    private static final ByteBuf PADDING = Unpooled.unreleasableBuffer(
            Unpooled.directBuffer(Pdu.DIGEST_BYTES).writeZero(Pdu.DIGEST_BYTES).asReadOnly());

    private final CRC32C crc = new CRC32C();
    private final ChannelHandlerContext context;
    private final CommandWindow window;
    private int statSn;
    private boolean headerDigest;
    private boolean dataDigest;
    private int sinceFlush;

    PduWriter(ChannelHandlerContext context, CommandWindow window) {
        this.context = context;
        this.window = window;
    }

    /** What holds from the next PDU on. */
    void configure(boolean withHeaderDigest, boolean withDataDigest) {
        headerDigest = withHeaderDigest;
        dataDigest = withDataDigest;
    }

    /** The number that the next status gets. */
    void startStatSn(int first) {
        statSn = first;
    }

    /** A header of zeroes but for these; to be filled in and given to {@link #send}. */
    ByteBuf header(int opcode, int flags) {
        ByteBuf header = context.alloc().directBuffer(Pdu.HEADER_BYTES + Pdu.DIGEST_BYTES);
        header.writeZero(Pdu.HEADER_BYTES);
        header.setByte(Pdu.OPCODE_OFFSET, opcode);
        header.setByte(Pdu.FLAGS_OFFSET, flags);
        return header;
    }

    /** Sets the numbers of a PDU that carries a status, which takes a StatSN (RFC 7143 4.2.2.2). */
    void numberStatus(ByteBuf header) {
        header.setInt(Pdu.STAT_SN_OFFSET, statSn++);
        numberCommands(header);
    }

    /** Sets the numbers of a PDU that tells the next StatSN without taking it. */
    void numberWithoutStatus(ByteBuf header) {
        header.setInt(Pdu.STAT_SN_OFFSET, statSn);
        numberCommands(header);
    }

    /** Sets ExpCmdSN and MaxCmdSN alone. */
    void numberCommands(ByteBuf header) {
        header.setInt(Pdu.EXP_CMD_SN_OFFSET, window.expected());
        header.setInt(Pdu.MAX_CMD_SN_OFFSET, window.max());
    }

    /** Writes a PDU without data; takes the header. */
    void send(ByteBuf header) {
        write(sealed(header));
    }

    /** Writes a PDU; takes the header and the data, which goes out as it is. */
    void send(ByteBuf header, ByteBuf data) {
        if (data.isReadable()) {
            ByteBuf trailer = trailer(header, data);
            write(sealed(header));
            write(data, trailer);
        } else {
            data.release();
            send(header);
        }
    }

    /** The same, with the header put in front of the data, where there must be room for it: one piece of memory less for the socket. */
    void sendAsOne(ByteBuf header, ByteBuf data) {
        ByteBuf trailer = trailer(header, data);
        ByteBuf sealed = sealed(header);
        int start = data.readerIndex() - sealed.readableBytes();
        data.setBytes(start, sealed).readerIndex(start);
        sealed.release();
        write(data, trailer);
    }

    /** What follows the data, of which there is some; the header is told its length. */
    private ByteBuf trailer(ByteBuf header, ByteBuf data) {
        int length = data.readableBytes();
        header.setMedium(Pdu.DATA_LENGTH_OFFSET, length);
        int padding = Pdu.padding(length);
        return dataDigest ? digest(data, length, padding) : PADDING.slice(0, padding);
    }

    private void write(ByteBuf data, ByteBuf trailer) {
        write(data);
        if (trailer.isReadable()) {
            write(trailer);
        }
    }

    /** Whether something was written since {@link #flushed}. */
    boolean needsFlush() {
        return sinceFlush > 0;
    }

    void flushed() {
        sinceFlush = 0;
    }

    private ByteBuf sealed(ByteBuf header) {
        if (headerDigest) {
            crc.reset();
            crc.update(header.nioBuffer(header.readerIndex(), Pdu.HEADER_BYTES));
            header.writeIntLE((int) crc.getValue());
        }
        return header;
    }

    private ByteBuf digest(ByteBuf data, int length, int padding) {
        crc.reset();
        crc.update(data.nioBuffer(data.readerIndex(), length));
        ByteBuf trailer = context.alloc().directBuffer(padding + Pdu.DIGEST_BYTES);
        trailer.writeZero(padding);
        crc.update(trailer.nioBuffer(0, padding));
        return trailer.writeIntLE((int) crc.getValue());
    }

    private void write(ByteBuf bytes) {
        sinceFlush++;
        var unused = context.write(bytes, context.voidPromise());
    }
}
