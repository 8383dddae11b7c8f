package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.InitiatorPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A normal session in full feature phase, at error recovery level 0: what is wrong with a PDU is answered with a reject, what makes the stream unreadable ends the connection
 * and with it the session. Event loop only, but for {@link #onLoop}.
 */
final class FullFeature implements Phase {

    private static final Logger LOG = LoggerFactory.getLogger(FullFeature.class);

    /** How many commands a session may have beside those of its window. */
    private static final int IMMEDIATE_MAX = 16;

    /** How long an initiator that is asked to log out may take. */
    static final int LOGOUT_SECONDS = 2;

    /** "The target wants you to log out" (RFC 7143 11.9.1). */
    private static final int ASYNC_LOGOUT_REQUEST = 1;

    /** The tag of our own pings, of which there is one at most. */
    private static final int PING_TAG = 1;

    private final IscsiConnection connection;
    private final PortalState portal;
    private final ServedTarget target;
    private final InitiatorPort port;
    private final int connectionId;
    private final EventLoop loop;
    private final CommandWindow window;
    private final PduWriter writer;
    private final KeyNegotiation keys;
    private final Refusal refusal;
    private final ScsiAnswers answers;
    private final TaskSet tasks;
    private final TaskManagement management;
    private final TextExchange text;
    private final SessionParameters parameters;

    /** What was decided when a header came, for when the rest of the PDU has come. */
    private @Nullable Task arriving;

    private int refusalReason;
    private @Nullable Task receiving;
    private ByteBuf pingData = Unpooled.EMPTY_BUFFER;

    private long pdusSeen;
    private @Nullable Future<?> pingTimer;

    FullFeature(
            PortalState portal,
            IscsiConnection connection,
            LoginExchange login,
            ServedTarget target,
            InitiatorPort port,
            int connectionId) {
        this.portal = portal;
        this.connection = connection;
        this.target = target;
        this.port = port;
        this.connectionId = connectionId;
        loop = connection.channel().eventLoop();
        window = connection.window();
        writer = connection.writer();
        keys = login.keys();
        refusal = new Refusal(writer);
        answers = new ScsiAnswers(connection.channel(), writer, login.parameters());
        tasks = new TaskSet(
                loop,
                connection.channel().alloc(),
                target.scsi(),
                port,
                window,
                answers,
                portal.settings().bytesInFlightMax(),
                this::outcomesAreThere);
        management = new TaskManagement(this, target, writer);
        text = new TextExchange(portal, connection, keys, login.initiator(), target.spec());
        this.parameters = login.parameters();
        target.opened(this);
        portal.settings().pingInterval().ifPresent(interval -> schedulePing(interval, this::pingIfSilent));
    }

    TaskSet tasks() {
        return tasks;
    }

    InitiatorPort port() {
        return port;
    }

    CommandWindow window() {
        return window;
    }

    /** Any thread: runs something where the session lives, at once if that is here. */
    void onLoop(Runnable action) {
        if (loop.inEventLoop()) {
            action.run();
        } else {
            loop.execute(action);
        }
    }

    /** Sends what was written outside of reading. */
    void flush() {
        connection.flush();
    }

    void close(String why) {
        connection.close(why);
    }

    /** Closes the connection when all is sent. */
    void closeAfterFlush() {
        connection.closeAfterFlush();
    }

    /** Asks the initiator to log out, and disconnects it if it does not soon. */
    void requestLogout() {
        ByteBuf header = writer.header(Pdu.ASYNC_MESSAGE, Pdu.FINAL);
        header.setInt(Pdu.ITT_OFFSET, Pdu.NO_TAG);
        writer.numberStatus(header);
        header.setByte(Pdu.ASYNC_EVENT_OFFSET, ASYNC_LOGOUT_REQUEST);
        header.setShort(Pdu.ASYNC_PARAMETER_3_OFFSET, LOGOUT_SECONDS);
        writer.send(header);
        flush();
        var unused = loop.schedule(() -> close("no logout when asked"), LOGOUT_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public DataSink sinkOf(PduHeader header) {
        switch (header.opcode()) {
            case Pdu.SCSI_COMMAND -> {
                arriving = taskOf(header);
                return arriving == null ? DataSink.NOWHERE : arriving;
            }
            case Pdu.DATA_OUT -> {
                receiving = tasks.find(header.itt());
                return receiving != null && receiving.awaits(header) ? receiving.sinkOf(header) : DataSink.NOWHERE;
            }
            case Pdu.NOP_OUT -> {
                pingData = Unpooled.buffer(header.dataLength());
                ByteBuf data = pingData;
                return (piece, length) -> data.writeBytes(piece, length);
            }
            case Pdu.TEXT -> {
                return text;
            }
            default -> {
                return DataSink.NOWHERE;
            }
        }
    }

    @Override
    public void received(PduHeader header, boolean dataIsIntact) {
        tasks.expectOutcomes();
        switch (header.opcode()) {
            case Pdu.SCSI_COMMAND -> commandReceived(header, dataIsIntact);
            case Pdu.DATA_OUT -> dataReceived(header, dataIsIntact);
            case Pdu.NOP_OUT, Pdu.TEXT, Pdu.TASK_MANAGEMENT, Pdu.LOGOUT -> otherReceived(header, dataIsIntact);
            case Pdu.SNACK -> refusal.reject(header, Pdu.SNACK_REJECT);
            case Pdu.LOGIN -> {
                refusal.reject(header, Pdu.PROTOCOL_ERROR);
                closeAfterFlush();
            }
            default -> refusal.reject(header, Pdu.COMMAND_NOT_SUPPORTED);
        }
    }

    @Override
    public void readComplete() {
        tasks.answerAll();
    }

    @Override
    public void writable() {
        answers.resume();
    }

    @Override
    public void unreadable(String why) {
        LOG.info(
                "iSCSI session is ended: target={} initiator={} why={}",
                target.spec().iqn(),
                port.name(),
                why);
        connection.close(why);
    }

    @Override
    public void closed() {
        if (pingTimer != null) {
            pingTimer.cancel(false);
        }
        Task half = arriving;
        arriving = null;
        if (half != null) {
            half.end();
        }
        tasks.close(this::over);
    }

    private void over() {
        target.scsi().nexusLost(port);
        target.detach(this, connection);
        portal.sessions().leave(new SessionTable.Nexus(port, target.spec().iqn()), connection);
        connection.allEnded();
    }

    private void outcomesAreThere() {
        tasks.answerAll();
        connection.flush();
    }

    // ---- commands

    /** A task for a command; null if it is ignored, or refused for {@link #refusalReason}. */
    private @Nullable Task taskOf(PduHeader header) {
        refusalReason = 0;
        if (header.isImmediate()) {
            if (tasks.immediateCount() >= IMMEDIATE_MAX) {
                refusalReason = Pdu.TOO_MANY_IMMEDIATE;
                return null;
            }
        } else if (!window.takes(header.cmdSn())) {
            return null;
        }
        if (header.itt() == Pdu.NO_TAG) {
            refusalReason = Pdu.INVALID_FIELD;
        } else if (tasks.find(header.itt()) != null) {
            refusalReason = Pdu.TASK_IN_PROGRESS;
        }
        return refusalReason != 0 ? null : new Task(tasks, parameters, header);
    }

    private void commandReceived(PduHeader header, boolean dataIsIntact) {
        Task task = header.dataLength() == 0 ? taskOf(header) : arriving;
        arriving = null;
        if (!dataIsIntact) {
            // As if it had not come: the initiator may send it again under its number (7.8).
            refusal.reject(header, Pdu.DATA_DIGEST_ERROR);
            if (task != null) {
                task.end();
            }
        } else if (task == null) {
            refuseCommand(header);
        } else {
            tasks.add(task);
            if (header.isImmediate()) {
                task.run();
            } else {
                window.arrived(header.cmdSn(), task);
            }
        }
    }

    private void refuseCommand(PduHeader header) {
        if (refusalReason == 0) {
            return;
        }
        if (!header.isImmediate()) {
            window.arrived(header.cmdSn(), window::ended);
        }
        refusal.reject(header, refusalReason);
    }

    private void dataReceived(PduHeader header, boolean dataIsIntact) {
        Task task = tasks.find(header.itt());
        boolean isSame = header.dataLength() == 0 || task == receiving;
        receiving = null;
        if (!dataIsIntact) {
            refusal.reject(header, Pdu.DATA_DIGEST_ERROR);
        }
        if (task == null || !isSame) {
            // Late data of a command that was answered or aborted.
            return;
        }
        if (task.awaits(header)) {
            task.dataReceived(header, dataIsIntact);
        } else if (dataIsIntact) {
            refusal.reject(header, Pdu.INVALID_FIELD);
        }
    }

    // ---- all else

    private void otherReceived(PduHeader header, boolean dataIsIntact) {
        if (!dataIsIntact) {
            text.reset();
            refusal.reject(header, Pdu.DATA_DIGEST_ERROR);
            return;
        }
        Consumer<PduHeader> handling = switch (header.opcode()) {
            case Pdu.NOP_OUT -> answerPing(header);
            case Pdu.TEXT -> this::answerText;
            case Pdu.TASK_MANAGEMENT -> management::handle;
            default -> this::logOut;
        };
        if (header.isImmediate()) {
            handling.accept(header);
        } else if (window.takes(header.cmdSn())) {
            PduHeader kept = header.cmdSn() == window.expected() ? header : header.snapshot();
            window.arrived(header.cmdSn(), () -> {
                window.ended();
                handling.accept(kept);
            });
        }
    }

    private Consumer<PduHeader> answerPing(PduHeader request) {
        ByteBuf data = request.dataLength() == 0 ? Unpooled.EMPTY_BUFFER : pingData;
        pingData = Unpooled.EMPTY_BUFFER;
        return header -> answerPing(header, data);
    }

    /** A ping without a tag is the answer to ours, and wants none (11.18). */
    private void answerPing(PduHeader request, ByteBuf data) {
        if (request.itt() == Pdu.NO_TAG) {
            return;
        }
        ByteBuf header = writer.header(Pdu.NOP_IN, Pdu.FINAL);
        header.setLong(Pdu.LUN_OFFSET, request.lun());
        header.setInt(Pdu.ITT_OFFSET, request.itt());
        header.setInt(Pdu.TTT_OFFSET, Pdu.NO_TAG);
        writer.numberStatus(header);
        writer.send(
                header,
                data.slice(0, Math.min(data.readableBytes(), keys.result().sendSegmentMax())));
    }

    private void answerText(PduHeader header) {
        if (!text.answer(header)) {
            refusal.reject(header, Pdu.PROTOCOL_ERROR);
        }
        answers.limitSegments(keys.result().sendSegmentMax());
    }

    /** What is in flight ends before the answer, so that nothing changes after it. */
    private void logOut(PduHeader header) {
        int itt = header.itt();
        int response = Logout.response(header, connectionId);
        if (response != Logout.CLOSED) {
            Logout.answer(writer, itt, response);
            return;
        }
        connection.reader().stop();
        Countdown countdown = new Countdown(() -> {
            Logout.answer(writer, itt, response);
            closeAfterFlush();
        });
        tasks.abortAll(task -> true, countdown);
        countdown.done();
    }

    void reject(PduHeader header, int reason) {
        refusal.reject(header, reason);
    }

    // ---- is it there?

    private void schedulePing(Duration delay, Runnable check) {
        pdusSeen = connection.pdusReceived();
        pingTimer = loop.schedule(check, delay.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void pingIfSilent() {
        Duration interval = portal.settings().pingInterval().orElseThrow();
        if (connection.pdusReceived() != pdusSeen) {
            schedulePing(interval, this::pingIfSilent);
            return;
        }
        ByteBuf header = writer.header(Pdu.NOP_IN, Pdu.FINAL);
        header.setInt(Pdu.ITT_OFFSET, Pdu.NO_TAG);
        header.setInt(Pdu.TTT_OFFSET, PING_TAG);
        writer.numberWithoutStatus(header);
        writer.send(header);
        flush();
        schedulePing(portal.settings().pingLimit(), () -> {
            if (connection.pdusReceived() == pdusSeen) {
                close("no answer to a ping");
            } else {
                schedulePing(interval, this::pingIfSilent);
            }
        });
    }
}
