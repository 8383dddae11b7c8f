package io.longhorn.replica.wire;

import java.nio.ByteBuffer;

/**
 * Control messages and bodies of structural records, to bytes and back. A message's body lies behind the common header: its
 * record's components in their order, as {@code docs/format/wire.md}, section 7, lists them, padded with zeroes to
 * {@link FrameLayout#ALIGNMENT}. There is no payload; even a repair's block is part of the body.
 *
 * <p>Decoding believes nothing: lengths, counts, texts and padding are checked, and whatever does not fit comes out as
 * {@link io.longhorn.ProtocolException}. Encoding refuses with {@link IllegalArgumentException} what the receiver would refuse.
 */
public final class MessageCodec {
    private MessageCodec() {}

    /**
     * A frame of {@code pool} with one reference, sealed and ready to send.
     *
     * @param epoch the sender's epoch, 0 where the message is not bound to one
     * @param request id that the answer repeats, 0 for messages without answer
     * @throws IllegalArgumentException if the message is beyond {@link WireLimits}
     */
    public static FrameBuffer encode(FramePool pool, long epoch, long request, Message message) {
        BodyWriter w = new BodyWriter(pool, FrameLayout.HEADER_BYTES);
        try {
            MessageEncoder.write(w, message);
            w.pad();
            int length = FrameLayout.HEADER_BYTES + w.bodyLength();
            int lengthMax = FrameLayout.headerBytesMax(message.type().code());
            if (length > lengthMax) {
                throw new IllegalArgumentException(
                        message.type() + " takes " + length + " bytes, expected at most " + lengthMax);
            }
            FrameBuffer frame = w.frame().length(length);
            FrameLayout.encode(frame.bytes(), 0, message.type(), 0, length, 0, epoch, request);
            FrameLayout.seal(frame.bytes(), 0);
            return frame;
        } catch (RuntimeException e) {
            w.release();
            throw e;
        }
    }

    /**
     * The control message in the frame at {@code at}, whose header CRC is checked here. Epoch and request id are read with
     * {@link FrameLayout#epoch} and {@link FrameLayout#number}.
     *
     * @throws io.longhorn.ProtocolException if the frame is damaged, no control message, or not encoded as its type asks
     */
    public static Message decode(ByteBuffer b, int at) {
        int length = FrameCheck.require(b, at);
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type == null) {
            throw WireErrors.badField("frame type", FrameLayout.type(b, at), "a type of protocol version 1");
        }
        FrameCheck.requireControl(b, at, type);
        BodyReader r = new BodyReader(b, at + FrameLayout.HEADER_BYTES, at + length);
        Message message = MessageDecoder.read(r, type);
        r.end();
        return message;
    }

    /**
     * A record of {@code pool} with one reference, sealed and ready to send.
     *
     * @param flags of {@link FrameLayout}
     * @param committed the engine's committed sequence
     */
    public static FrameBuffer encodeStructure(
            FramePool pool, int flags, long epoch, long sequence, long committed, StructureOperation operation) {
        BodyWriter w = new BodyWriter(pool, RecordLayout.TABLE_OFFSET);
        try {
            StructureCodec.write(w, operation);
            FrameBuffer frame = w.frame();
            RecordLayout.encodeWithBody(frame, operation.type(), flags, epoch, sequence, committed, w.bodyLength());
            return frame;
        } catch (RuntimeException e) {
            w.release();
            throw e;
        }
    }

    /**
     * The operation in the record at {@code at}, as received or as the journal stamped it; its header CRC is checked here.
     *
     * @throws io.longhorn.ProtocolException if the frame is damaged, no structural record, or not encoded as its type asks
     */
    public static StructureOperation decodeStructure(ByteBuffer b, int at) {
        FrameFault fault = at < 0 ? FrameFault.CUT : RecordLayout.checkJournaled(b, at, b.limit() - at);
        if (fault != FrameFault.NONE) {
            throw WireErrors.badFrame(fault, b, at);
        }
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type == null || !type.isStructure()) {
            throw WireErrors.badField("frame type", FrameLayout.type(b, at), "a structural record's");
        }
        BodyReader r = new BodyReader(b, at + RecordLayout.TABLE_OFFSET, at + FrameLayout.frameLength(b, at));
        StructureOperation operation = StructureCodec.read(r, type);
        r.end();
        return operation;
    }
}
