package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the stream of a connection into PDUs (RFC 7143 11.2), checks their digests, and sends data on as it arrives, so that it needs no buffer. Event loop only.
 *
 * <pre>
 * | basic header 48 | additional headers 4n | header digest 0/4 | data | padding 0-3 | data digest 0/4 |
 * </pre>
 */
final class PduReader {

    /** Whom the reader tells. */
    interface Listener {

        /** A header is there, and as many bytes of data follow as it says, within the limit. Returns where they go; not asked if there are none. */
        DataSink sinkOf(PduHeader header);

        /** A whole PDU is there. The header is borrowed. */
        void received(PduHeader header, boolean dataIsIntact);

        /** What follows cannot be read: the reader has stopped for good. */
        void unreadable(String why);
    }

    private enum Part {
        HEADER,
        DATA,
        PADDING,
        DATA_DIGEST
    }

    private final PduHeader header = new PduHeader();
    private final byte[] trailer = new byte[Pdu.DIGEST_BYTES];
    private final CRC32C crc = new CRC32C();
    private final Listener listener;
    private int dataLengthMax;
    private boolean headerDigest;
    private boolean dataDigest;
    private boolean stopped;

    private Part part = Part.HEADER;
    private int have;
    private int need = Pdu.HEADER_BYTES;
    private @Nullable DataSink sink;

    PduReader(Listener listener, int dataLengthMax) {
        this.listener = listener;
        this.dataLengthMax = dataLengthMax;
    }

    /** What holds from the next PDU on; called while one is being told. */
    void configure(boolean withHeaderDigest, boolean withDataDigest, int newDataLengthMax) {
        headerDigest = withHeaderDigest;
        dataDigest = withDataDigest;
        dataLengthMax = newDataLengthMax;
        need = Pdu.HEADER_BYTES;
    }

    /** Reads no more. */
    void stop() {
        stopped = true;
    }

    /** Reads all of the piece, which is borrowed; what follows the end of reading is dropped. */
    void read(ByteBuf piece) {
        while (!stopped && piece.isReadable()) {
            int length = Math.min(need - have, piece.readableBytes());
            switch (part) {
                case HEADER -> piece.readBytes(header.bytes, have, length);
                case DATA -> readData(piece, length);
                case PADDING, DATA_DIGEST -> readTrailer(piece, length);
                default -> throw new IllegalStateException("no such part: " + part);
            }
            have += length;
            if (have == need) {
                partIsComplete();
            }
        }
        piece.skipBytes(piece.readableBytes());
    }

    private void readData(ByteBuf piece, int length) {
        if (dataDigest) {
            crc.update(piece.nioBuffer(piece.readerIndex(), length));
        }
        DataSink target = sink;
        if (target == null) {
            throw new IllegalStateException("data without a sink");
        }
        target.take(piece, length);
    }

    private void readTrailer(ByteBuf piece, int length) {
        piece.readBytes(trailer, have, length);
    }

    private void partIsComplete() {
        switch (part) {
            case HEADER -> headerPieceIsComplete();
            case DATA -> dataIsComplete();
            case PADDING -> paddingIsComplete();
            case DATA_DIGEST -> end(isDigest(trailer, 0, (int) crc.getValue()));
            default -> throw new IllegalStateException("no such part: " + part);
        }
    }

    /** The basic segment tells how long the rest of the header is. */
    private void headerPieceIsComplete() {
        int whole = Pdu.HEADER_BYTES + header.ahsLength() + (headerDigest ? Pdu.DIGEST_BYTES : 0);
        if (have < whole) {
            need = whole;
            return;
        }
        if (headerDigest && !isHeaderIntact(whole - Pdu.DIGEST_BYTES)) {
            // Nothing of a damaged header can be relied on, its lengths neither (7.8).
            unreadable("header digest does not match");
            return;
        }
        int dataLength = header.dataLength();
        if (dataLength > dataLengthMax) {
            unreadable("data segment of " + dataLength + " bytes, " + dataLengthMax + " is the limit");
            return;
        }
        if (dataLength == 0) {
            end(true);
            return;
        }
        sink = listener.sinkOf(header);
        crc.reset();
        expect(Part.DATA, dataLength);
    }

    private void dataIsComplete() {
        int padding = Pdu.padding(have);
        if (padding > 0) {
            expect(Part.PADDING, padding);
        } else {
            paddingIsComplete(0);
        }
    }

    private void paddingIsComplete() {
        paddingIsComplete(have);
    }

    private void paddingIsComplete(int padding) {
        if (dataDigest) {
            crc.update(trailer, 0, padding);
            expect(Part.DATA_DIGEST, Pdu.DIGEST_BYTES);
        } else {
            end(true);
        }
    }

    private void end(boolean dataIsIntact) {
        sink = null;
        expect(Part.HEADER, Pdu.HEADER_BYTES);
        listener.received(header, dataIsIntact);
    }

    private void expect(Part next, int bytes) {
        part = next;
        have = 0;
        need = bytes;
    }

    private boolean isHeaderIntact(int length) {
        crc.reset();
        crc.update(header.bytes, 0, length);
        return isDigest(header.bytes, length, (int) crc.getValue());
    }

    /** Digests go over the wire with the least significant byte first (12.1, and the examples of RFC 7143 B.4). */
    private static boolean isDigest(byte[] bytes, int offset, int expected) {
        int found = (bytes[offset] & 0xff)
                | ((bytes[offset + 1] & 0xff) << 8)
                | ((bytes[offset + 2] & 0xff) << 16)
                | (bytes[offset + 3] << 24);
        return found == expected;
    }

    private void unreadable(String why) {
        stopped = true;
        listener.unreadable(why);
    }
}
