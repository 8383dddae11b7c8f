package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Says that a PDU is not taken, and which (RFC 7143 11.17). */
final class Refusal {

    private final PduWriter writer;

    Refusal(PduWriter writer) {
        this.writer = writer;
    }

    void reject(PduHeader offending, int reason) {
        ByteBuf header = writer.header(Pdu.REJECT, Pdu.FINAL);
        header.setByte(Pdu.RESPONSE_OFFSET, reason);
        header.setInt(Pdu.ITT_OFFSET, Pdu.NO_TAG);
        writer.numberStatus(header);
        writer.send(header, Unpooled.wrappedBuffer(offending.copy()));
    }
}
