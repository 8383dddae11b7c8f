package io.longhorn.frontend.iscsi;

/** A discovery session: text requests and logout, and nothing else (RFC 7143 4.3). */
final class Discovery implements Phase {

    private final IscsiConnection connection;
    private final TextExchange text;
    private final Refusal refusal;

    Discovery(PortalState portal, IscsiConnection connection, LoginExchange login) {
        this.connection = connection;
        text = new TextExchange(portal, connection, login.keys(), login.initiator(), null);
        refusal = new Refusal(connection.writer());
    }

    @Override
    public DataSink sinkOf(PduHeader header) {
        return header.opcode() == Pdu.TEXT ? text : DataSink.NOWHERE;
    }

    @Override
    public void received(PduHeader header, boolean dataIsIntact) {
        if (!dataIsIntact) {
            text.reset();
            refusal.reject(header, Pdu.DATA_DIGEST_ERROR);
            return;
        }
        if (!header.isImmediate()) {
            CommandWindow window = connection.window();
            if (!window.takes(header.cmdSn())) {
                text.reset();
                return;
            }
            // There is nothing to wait for: what comes out of turn is answered at once.
            window.arrived(header.cmdSn(), window::ended);
        }
        switch (header.opcode()) {
            case Pdu.TEXT -> {
                if (!text.answer(header)) {
                    refusal.reject(header, Pdu.PROTOCOL_ERROR);
                }
            }
            case Pdu.LOGOUT -> {
                Logout.answer(connection.writer(), header.itt(), Logout.CLOSED);
                connection.closeAfterFlush();
            }
            default -> refusal.reject(header, Pdu.PROTOCOL_ERROR);
        }
    }

    @Override
    public void unreadable(String why) {
        connection.close(why);
    }

    @Override
    public void closed() {
        connection.allEnded();
    }
}
