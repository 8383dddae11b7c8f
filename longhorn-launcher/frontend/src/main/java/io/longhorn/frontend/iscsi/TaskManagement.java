package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Task management (RFC 7143 11.5, 4.2.3.3): aborts commands and answers when they have ended, so that none of them changes anything after the answer. What the device has
 * begun is let go on; only its outcome is not told. Event loop only.
 */
final class TaskManagement {

    private static final int FUNCTION_MASK = 0x7f;
    private static final int ABORT_TASK = 1;
    private static final int ABORT_TASK_SET = 2;
    private static final int CLEAR_TASK_SET = 4;
    private static final int LOGICAL_UNIT_RESET = 5;
    private static final int TARGET_WARM_RESET = 6;
    private static final int TARGET_COLD_RESET = 7;
    private static final int TASK_REASSIGN = 8;

    private static final int COMPLETE = 0;
    private static final int NO_SUCH_TASK = 1;
    private static final int NO_SUCH_LUN = 2;
    private static final int REASSIGNMENT_NOT_SUPPORTED = 4;
    private static final int FUNCTION_NOT_SUPPORTED = 5;

    /** How many functions of a session may be at work. */
    private static final int AT_WORK_MAX = 16;

    private final FullFeature session;
    private final ServedTarget target;
    private final PduWriter writer;
    private int atWork;

    TaskManagement(FullFeature session, ServedTarget target, PduWriter writer) {
        this.session = session;
        this.target = target;
        this.writer = writer;
    }

    void handle(PduHeader header) {
        if (atWork >= AT_WORK_MAX) {
            session.reject(header, Pdu.TOO_MANY_IMMEDIATE);
            return;
        }
        atWork++;
        int itt = header.itt();
        long lun = header.lun();
        int function = header.unsignedByte(Pdu.FLAGS_OFFSET) & FUNCTION_MASK;
        boolean isForUnit = function == ABORT_TASK_SET || function == CLEAR_TASK_SET || function == LOGICAL_UNIT_RESET;
        if (isForUnit && !target.scsi().hasLun(lun)) {
            answer(itt, NO_SUCH_LUN);
            return;
        }
        switch (function) {
            case ABORT_TASK -> abortTask(header);
            case ABORT_TASK_SET -> abortOwn(header);
            case CLEAR_TASK_SET ->
                target.abortEverywhere(task -> task.lun() == lun, () -> {
                    target.scsi().taskSetCleared(session.port(), lun);
                    answer(itt, COMPLETE);
                });
            case LOGICAL_UNIT_RESET ->
                target.abortEverywhere(
                        task -> task.lun() == lun,
                        () -> answer(itt, target.scsi().logicalUnitReset(lun) ? COMPLETE : NO_SUCH_LUN));
            case TARGET_WARM_RESET ->
                target.abortEverywhere(task -> true, () -> {
                    target.scsi().targetReset();
                    answer(itt, COMPLETE);
                });
            case TARGET_COLD_RESET ->
                target.abortEverywhere(task -> true, () -> {
                    target.scsi().targetReset();
                    answer(itt, COMPLETE);
                    disconnectAll();
                });
            case TASK_REASSIGN -> answer(itt, REASSIGNMENT_NOT_SUPPORTED);
            default -> answer(itt, FUNCTION_NOT_SUPPORTED);
        }
    }

    private void abortTask(PduHeader header) {
        int itt = header.itt();
        @Nullable Task task = session.tasks().find(header.intAt(Pdu.REFERENCED_TAG_OFFSET));
        if (task != null) {
            session.tasks().abort(task, () -> answer(itt, COMPLETE));
            return;
        }
        // A command that has not come, but whose turn is before this request's, is taken as come and aborted (11.5.1).
        int referenced = header.intAt(Pdu.REFERENCED_CMD_SN_OFFSET);
        CommandWindow window = session.window();
        boolean isMissing = window.takes(referenced) && referenced - header.cmdSn() < 0;
        if (isMissing) {
            window.arrived(referenced, window::ended);
        }
        answer(itt, isMissing ? COMPLETE : NO_SUCH_TASK);
    }

    /** Only what came before is meant. */
    private void abortOwn(PduHeader header) {
        int itt = header.itt();
        long lun = header.lun();
        int cmdSn = header.cmdSn();
        Countdown countdown = new Countdown(() -> answer(itt, COMPLETE));
        session.tasks()
                .abortAll(task -> task.lun() == lun && task.cmdSn() - cmdSn < (task.isImmediate() ? 1 : 0), countdown);
        countdown.done();
    }

    /** Any thread. The requester's connection is closed last, when its answer is sent. */
    private void disconnectAll() {
        for (FullFeature other : target.sessions()) {
            other.onLoop(() -> {
                if (other == session) {
                    other.closeAfterFlush();
                } else {
                    other.close("target cold reset");
                }
            });
        }
    }

    /** Any thread. */
    private void answer(int itt, int response) {
        session.onLoop(() -> {
            atWork--;
            ByteBuf header = writer.header(Pdu.TASK_MANAGEMENT_RESPONSE, Pdu.FINAL);
            header.setByte(Pdu.RESPONSE_OFFSET, response);
            header.setInt(Pdu.ITT_OFFSET, itt);
            writer.numberStatus(header);
            writer.send(header);
            session.flush();
        });
    }
}
