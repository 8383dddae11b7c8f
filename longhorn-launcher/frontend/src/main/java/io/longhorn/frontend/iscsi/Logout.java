package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;

/** The answer to a logout (RFC 7143 11.15). */
final class Logout {

    // Reasons of a request.
    static final int CLOSE_SESSION = 0;
    static final int CLOSE_CONNECTION = 1;

    // Responses.
    static final int CLOSED = 0;
    static final int CONNECTION_NOT_FOUND = 1;
    static final int RECOVERY_NOT_SUPPORTED = 2;

    private static final int REASON_MASK = 0x7f;

    private Logout() {}

    /** What to answer a request on a connection whose id is {@code connectionId}. */
    static int response(PduHeader request, int connectionId) {
        return switch (request.unsignedByte(Pdu.FLAGS_OFFSET) & REASON_MASK) {
            case CLOSE_SESSION -> CLOSED;
            case CLOSE_CONNECTION ->
                request.unsignedShort(Pdu.CID_OFFSET) == connectionId ? CLOSED : CONNECTION_NOT_FOUND;
            default -> RECOVERY_NOT_SUPPORTED;
        };
    }

    /** There is nothing to wait for before another login, and nothing is kept for it: both times are 0. */
    static void answer(PduWriter writer, int itt, int response) {
        ByteBuf header = writer.header(Pdu.LOGOUT_RESPONSE, Pdu.FINAL);
        header.setByte(Pdu.RESPONSE_OFFSET, response);
        header.setInt(Pdu.ITT_OFFSET, itt);
        writer.numberStatus(header);
        writer.send(header);
    }
}
