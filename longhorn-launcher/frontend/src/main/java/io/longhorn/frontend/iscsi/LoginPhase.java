package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.InitiatorPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries a {@link LoginExchange} over a connection, and lets the session in at its end. */
final class LoginPhase implements Phase {

    private static final Logger LOG = LoggerFactory.getLogger(LoginPhase.class);

    private final PortalState portal;
    private final IscsiConnection connection;
    private final LoginExchange exchange;
    private final ByteBuf data = Unpooled.buffer();
    private boolean begun;
    private boolean over;
    private long isidAndTsih;
    private int itt;

    LoginPhase(PortalState portal, IscsiConnection connection) {
        this.portal = portal;
        this.connection = connection;
        exchange = new LoginExchange(
                portal.settings(), name -> portal.targets().find(name).map(ServedTarget::spec));
    }

    @Override
    public DataSink sinkOf(PduHeader header) {
        data.clear();
        return header.opcode() == Pdu.LOGIN && !over
                ? (piece, length) -> data.writeBytes(piece, length)
                : DataSink.NOWHERE;
    }

    @Override
    public void received(PduHeader header, boolean dataIsIntact) {
        if (header.dataLength() == 0) {
            data.clear();
        }
        if (over) {
            // It was not told yet that it is in, so it must not have said anything.
            connection.close("request before the end of login");
            return;
        }
        if (header.opcode() != Pdu.LOGIN) {
            refuse(header, LoginStatus.INVALID_DURING_LOGIN);
            return;
        }
        if (!begun) {
            begun = true;
            connection.window().start(header.cmdSn());
            connection.writer().startStatSn(header.intAt(Pdu.EXP_STAT_SN_OFFSET));
            isidAndTsih = header.lun();
            itt = header.itt();
        } else if (isidAndTsih != header.lun() || itt != header.itt()) {
            refuse(header, LoginStatus.INITIATOR_ERROR);
            return;
        }
        LoginExchange.Reply reply = exchange.answer(header, data);
        if (reply.status() != LoginStatus.SUCCESS) {
            refuse(header, reply.status());
        } else if (reply.isLast()) {
            over = true;
            admit(header, reply);
        } else {
            send(header, reply, header.unsignedShort(Pdu.TSIH_OFFSET));
        }
    }

    @Override
    public void unreadable(String why) {
        connection.close(why);
    }

    @Override
    public void closed() {
        over = true;
        connection.allEnded();
    }

    private void refuse(PduHeader header, LoginStatus status) {
        over = true;
        LOG.info(
                "iSCSI login is refused: status={} initiator={} remote={}",
                status,
                exchange.initiator(),
                connection.channel().remoteAddress());
        send(header, new LoginExchange.Reply(status, 0, new byte[0], false), 0);
        connection.closeAfterFlush();
    }

    /** The negotiation is done; lets a new session in, once an older one in its place has ended. */
    private void admit(PduHeader header, LoginExchange.Reply reply) {
        String isid = header.isid();
        int tsih = header.unsignedShort(Pdu.TSIH_OFFSET);
        Optional<ServedTarget> target =
                exchange.target().flatMap(spec -> portal.targets().find(spec.iqn()));
        if (exchange.isDiscovery()) {
            if (tsih != 0) {
                refuse(header, LoginStatus.SESSION_DOES_NOT_EXIST);
            } else {
                send(header, reply, portal.sessions().discoveryTsih());
                enter(new Discovery(portal, connection, exchange));
            }
            return;
        }
        if (target.isEmpty()) {
            refuse(header, LoginStatus.NOT_FOUND);
            return;
        }
        InitiatorPort port = new InitiatorPort(exchange.initiator(), isid);
        SessionTable.Admission admission = portal.sessions()
                .admit(
                        new SessionTable.Nexus(port, target.get().spec().iqn()),
                        tsih,
                        header.unsignedShort(Pdu.CID_OFFSET),
                        connection);
        if (admission.status() != LoginStatus.SUCCESS) {
            refuse(header, admission.status());
            return;
        }
        PduHeader kept = header.snapshot();
        Runnable goOn = () -> welcome(kept, reply, admission, target.get(), port);
        IscsiConnection previous = admission.previous();
        if (previous == null) {
            goOn.run();
        } else {
            previous.channel().eventLoop().execute(() -> previous.close("session is reinstated"));
            var unused = previous.ended()
                    .addListener(done -> connection.channel().eventLoop().execute(goOn));
        }
    }

    private void welcome(
            PduHeader header,
            LoginExchange.Reply reply,
            SessionTable.Admission admission,
            ServedTarget target,
            InitiatorPort port) {
        if (!connection.channel().isActive()) {
            return;
        }
        if (!target.attach(connection)) {
            refuse(header, LoginStatus.NOT_FOUND);
            return;
        }
        send(header, reply, admission.tsih());
        FullFeature session =
                new FullFeature(portal, connection, exchange, target, port, header.unsignedShort(Pdu.CID_OFFSET));
        enter(session);
        LOG.info(
                "iSCSI session is open: target={} initiator={} isid={} remote={}",
                target.spec().iqn(),
                port.name(),
                port.isid(),
                connection.channel().remoteAddress());
    }

    private void enter(Phase next) {
        SessionParameters parameters = exchange.parameters();
        connection.enter(next);
        connection.flush();
        connection.writer().configure(parameters.headerDigest(), parameters.dataDigest());
        connection
                .reader()
                .configure(
                        parameters.headerDigest(),
                        parameters.dataDigest(),
                        portal.settings().receiveSegmentMax());
    }

    private void send(PduHeader request, LoginExchange.Reply reply, int tsih) {
        PduWriter writer = connection.writer();
        ByteBuf header = writer.header(Pdu.LOGIN_RESPONSE, reply.flags());
        // Versions stay 0, the only ones there are.
        header.setBytes(Pdu.ISID_OFFSET, request.bytes, Pdu.ISID_OFFSET, Pdu.ISID_BYTES);
        header.setShort(Pdu.TSIH_OFFSET, tsih);
        header.setInt(Pdu.ITT_OFFSET, request.itt());
        writer.numberStatus(header);
        header.setShort(Pdu.LOGIN_STATUS_OFFSET, reply.status().code());
        writer.send(header, Unpooled.wrappedBuffer(reply.text()));
    }
}
