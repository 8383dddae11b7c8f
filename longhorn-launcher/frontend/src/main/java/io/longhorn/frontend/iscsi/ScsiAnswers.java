package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.ScsiOutcome;
import io.longhorn.frontend.scsi.ScsiStatus;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a session tells its initiator of commands: data, status, and requests for data (RFC 7143 11.4, 11.7, 11.8). Data that the connection does not take yet waits here,
 * without being copied. Event loop only.
 */
final class ScsiAnswers {

    /** The longest data segment we send, whatever the initiator takes: what is written at once is bounded so. */
    private static final int SEGMENT_MAX = 256 << 10;

    private static final int SENSE_LENGTH_BYTES = 2;

    private final Channel channel;
    private final PduWriter writer;
    private final SessionParameters parameters;
    private final Deque<Transfer> waiting = new ArrayDeque<>();
    private int segmentMax;
    private boolean resuming;

    /** Data on its way to the initiator. */
    private static final class Transfer {
        private final Task task;
        private final int length;
        private int sent;
        private int burst;
        private int dataSn;

        Transfer(Task task, int length) {
            this.task = task;
            this.length = length;
        }
    }

    ScsiAnswers(Channel channel, PduWriter writer, SessionParameters parameters) {
        this.channel = channel;
        this.writer = writer;
        this.parameters = parameters;
        limitSegments(parameters.sendSegmentMax());
    }

    /** The initiator may say anew what it takes. */
    void limitSegments(int bytes) {
        segmentMax = Math.min(bytes, SEGMENT_MAX);
    }

    /** Asks for data. */
    void solicit(Task task, int ttt, int r2tSn, int offset, int length) {
        ByteBuf header = writer.header(Pdu.R2T, Pdu.FINAL);
        header.setLong(Pdu.LUN_OFFSET, task.lun());
        header.setInt(Pdu.ITT_OFFSET, task.itt());
        header.setInt(Pdu.TTT_OFFSET, ttt);
        writer.numberWithoutStatus(header);
        header.setInt(Pdu.DATA_SN_OFFSET, r2tSn);
        header.setInt(Pdu.BUFFER_OFFSET_OFFSET, offset);
        header.setInt(Pdu.DESIRED_LENGTH_OFFSET, length);
        writer.send(header);
    }

    /** Sends what became of a task, and ends it when that is written. */
    void answer(Task task) {
        int length = task.reads() ? (int) Math.min(task.dataIn().readableBytes(), task.expectedLength()) : 0;
        if (length == 0) {
            sendStatus(task);
            task.answered();
            return;
        }
        Transfer transfer = new Transfer(task, length);
        if (!waiting.isEmpty() || !send(transfer)) {
            waiting.add(transfer);
        }
    }

    /** The connection takes more. Flushing may tell of that too, in the middle of sending. */
    void resume() {
        if (resuming) {
            return;
        }
        resuming = true;
        for (Transfer next = waiting.peek(); next != null && send(next); next = waiting.peek()) {
            waiting.remove(next);
        }
        resuming = false;
    }

    /** The task is over, sent or not. */
    void forget(Task task) {
        if (!waiting.isEmpty()) {
            waiting.removeIf(transfer -> transfer.task == task);
        }
    }

    /** Returns whether all is written. */
    private boolean send(Transfer transfer) {
        while (transfer.sent < transfer.length) {
            if (!channel.isWritable()) {
                channel.flush();
                writer.flushed();
                if (!channel.isWritable()) {
                    return false;
                }
            }
            sendPiece(transfer);
        }
        transfer.task.answered();
        return true;
    }

    private void sendPiece(Transfer transfer) {
        Task task = transfer.task;
        int rest = transfer.length - transfer.sent;
        int length = Math.min(rest, Math.min(segmentMax, parameters.burstMax() - transfer.burst));
        boolean isLast = length == rest;
        boolean isFirst = transfer.sent == 0;
        transfer.burst += length;
        boolean burstEnds = isLast || transfer.burst == parameters.burstMax();
        ByteBuf header = writer.header(Pdu.DATA_IN, burstEnds ? Pdu.FINAL : 0);
        header.setInt(Pdu.ITT_OFFSET, task.itt());
        header.setInt(Pdu.TTT_OFFSET, Pdu.NO_TAG);
        header.setInt(Pdu.DATA_SN_OFFSET, transfer.dataSn++);
        header.setInt(Pdu.BUFFER_OFFSET_OFFSET, transfer.sent);
        if (isLast) {
            task.leaveWindow();
            header.setByte(Pdu.FLAGS_OFFSET, Pdu.FINAL | Pdu.STATUS | residual(task, header));
            header.setByte(Pdu.STATUS_OFFSET, ScsiStatus.GOOD);
            writer.numberStatus(header);
        } else {
            writer.numberCommands(header);
        }
        transfer.sent += length;
        if (burstEnds) {
            transfer.burst = 0;
        }
        ByteBuf data = task.dataIn();
        boolean isAll = isLast && data.readableBytes() == length;
        if (isAll && isFirst && data.readerIndex() >= ScsiOutcome.HEADROOM_BYTES) {
            writer.sendAsOne(header, task.takeDataIn());
        } else {
            writer.send(header, isAll ? task.takeDataIn() : data.readRetainedSlice(length));
        }
    }

    private void sendStatus(Task task) {
        task.leaveWindow();
        ByteBuf header = writer.header(Pdu.SCSI_RESPONSE, Pdu.FINAL);
        header.setByte(Pdu.FLAGS_OFFSET, Pdu.FINAL | residual(task, header));
        header.setByte(Pdu.STATUS_OFFSET, task.status());
        header.setInt(Pdu.ITT_OFFSET, task.itt());
        writer.numberStatus(header);
        header.setInt(Pdu.DATA_SN_OFFSET, task.r2tCount());
        byte[] sense = task.sense();
        if (sense.length == 0) {
            writer.send(header);
        } else {
            writer.send(
                    header,
                    Unpooled.buffer(SENSE_LENGTH_BYTES + sense.length)
                            .writeShort(sense.length)
                            .writeBytes(sense));
        }
    }

    /** Sets the residual and returns its flag. */
    private static int residual(Task task, ByteBuf header) {
        long residual = task.residual();
        header.setInt(Pdu.RESIDUAL_OFFSET, (int) Math.abs(residual));
        return residual > 0 ? Pdu.OVERFLOW : residual < 0 ? Pdu.UNDERFLOW : 0;
    }
}
