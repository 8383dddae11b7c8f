package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.ScsiOutcome;
import io.longhorn.frontend.scsi.ScsiStatus;
import io.longhorn.frontend.scsi.ScsiTarget;
import io.longhorn.frontend.scsi.ScsiTask;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One SCSI command of a session: gathers its data, is executed when it is its turn, and holds the outcome until that is sent. Event loop only, but for the outcome, which comes
 * on any thread.
 *
 * <pre>
 *  command ---> unasked data, till F ---> CmdSN's turn ---> memory ---> R2T and data, burst by burst ---> execution ---> answer
 * </pre>
 *
 * Data arrives in order, since we negotiate nothing else, so one offset says what is there. What is wrong with data fails the command, and nothing else (RFC 7143 7.8): it is
 * answered when all that was asked for has come.
 */
final class Task implements ScsiOutcome, DataSink, Runnable {

    private static final byte[] NO_SENSE = new byte[0];

    private final TaskSet tasks;
    private final SessionParameters parameters;
    private final int itt;
    private final long lun;
    private final int cmdSn;
    private final boolean immediate;
    private final boolean reads;
    private final boolean writes;
    private final long expectedLength;
    private final byte[] cdb;

    /** What the command wants of the initiator, and how much of it there is. */
    private final int wanted;

    private final int total;

    private @Nullable ByteBuf dataOut;
    private int received;
    private boolean unsolicitedOpen;
    private int solicited;
    private int burstEnd;
    private int burstsOutstanding;
    private int burstsAnswered;
    private int r2tSn;
    private int firstTtt;
    private int nextDataSn;

    private boolean delivered;
    private boolean inWindow = true;
    private boolean claimed;
    private boolean executing;
    private boolean aborted;
    private boolean ended;
    private byte @Nullable [] failure;
    private @Nullable List<Runnable> atEnd;

    /** The outcome; written before the task is handed back to the event loop. */
    private ByteBuf dataIn = Unpooled.EMPTY_BUFFER;

    private int dataInLength;
    private int status;
    private byte[] sense = NO_SENSE;

    /** The next one of those that were handed back. */
    @Nullable
    Task next;

    Task(TaskSet tasks, SessionParameters parameters, PduHeader header) {
        this.tasks = tasks;
        this.parameters = parameters;
        itt = header.itt();
        lun = header.lun();
        cmdSn = header.cmdSn();
        immediate = header.isImmediate();
        reads = header.has(Pdu.READ);
        writes = header.has(Pdu.WRITE);
        expectedLength = header.unsignedIntAt(Pdu.EXPECTED_LENGTH_OFFSET);
        cdb = header.cdb();
        boolean isRefused = (reads && writes) || cdb.length == 0;
        wanted = isRefused ? 0 : ScsiTarget.dataOutWanted(cdb);
        total = writes ? (int) Math.min(expectedLength, wanted) : 0;
        int unasked = header.dataLength();
        unsolicitedOpen = writes && !header.isFinal();
        if (isRefused) {
            failure = TransportSense.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT;
        } else if (unasked > 0 && (!writes || !parameters.immediateData() || unasked > unsolicitedMax())) {
            failure = TransportSense.UNEXPECTED_UNSOLICITED_DATA;
        } else if (unsolicitedOpen && parameters.initialR2t()) {
            failure = TransportSense.UNEXPECTED_UNSOLICITED_DATA;
        }
        if (failure != null) {
            // More would be wrong as well; nobody waits for it.
            unsolicitedOpen = false;
        } else if (total > 0) {
            reserve(unasked > 0 || unsolicitedOpen);
        }
    }

    int itt() {
        return itt;
    }

    long lun() {
        return lun;
    }

    boolean reads() {
        return reads;
    }

    long expectedLength() {
        return expectedLength;
    }

    int cmdSn() {
        return cmdSn;
    }

    boolean isImmediate() {
        return immediate;
    }

    boolean isAborted() {
        return aborted;
    }

    /** How many R2Ts were sent. */
    int r2tCount() {
        return r2tSn;
    }

    int status() {
        return status;
    }

    byte[] sense() {
        return sense;
    }

    /** What is to be sent; the task owns it. */
    ByteBuf dataIn() {
        return dataIn;
    }

    /** Hands over the last piece of what is to be sent. */
    ByteBuf takeDataIn() {
        ByteBuf taken = dataIn;
        dataIn = Unpooled.EMPTY_BUFFER;
        return taken;
    }

    /** By how much the command moves more data than the initiator expects, or less if negative (RFC 7143 11.4.5). */
    long residual() {
        if (writes || wanted > 0) {
            return wanted - (writes ? expectedLength : 0);
        }
        return dataInLength - (reads ? expectedLength : 0);
    }

    // ---- data from the initiator

    /** The memory that the command needs for its data. */
    int claimBytes() {
        return writes ? total : reads ? (int) Math.min(expectedLength, ScsiTarget.TRANSFER_BYTES_MAX) : 0;
    }

    void claimGranted() {
        claimed = true;
        advance();
    }

    /** Takes memory for all of the data if there is enough; else only for what comes unasked, which the initiator may send whether we have memory or not. */
    private void reserve(boolean comesUnasked) {
        claimed = tasks.budget().tryClaim(this);
        if (claimed || comesUnasked) {
            dataOut = tasks.allocate(claimed ? total : Math.min(total, unsolicitedMax()), total);
        }
    }

    private int unsolicitedMax() {
        return (int) Math.min(parameters.firstBurstMax(), expectedLength);
    }

    @Override
    public void take(ByteBuf piece, int length) {
        ByteBuf target = dataOut;
        int kept = Math.max(0, Math.min(length, total - received));
        if (target != null && kept > 0 && failure == null && !ended) {
            target.setBytes(received, piece, piece.readerIndex(), kept);
        }
        piece.skipBytes(length);
        received += length;
    }

    /** Whether a Data-Out belongs to a sequence that may come now; if not, it is none of this command's business. */
    boolean awaits(PduHeader header) {
        int ttt = header.intAt(Pdu.TTT_OFFSET);
        return ttt == Pdu.NO_TAG ? unsolicitedOpen : burstsOutstanding > 0 && ttt == firstTtt + burstsAnswered;
    }

    /** Looks at the header of a Data-Out that it {@link #awaits}, and says where its data goes. */
    DataSink sinkOf(PduHeader header) {
        boolean unasked = header.intAt(Pdu.TTT_OFFSET) == Pdu.NO_TAG;
        long end = header.unsignedIntAt(Pdu.BUFFER_OFFSET_OFFSET) + header.dataLength();
        if (header.intAt(Pdu.DATA_SN_OFFSET) != nextDataSn
                || header.unsignedIntAt(Pdu.BUFFER_OFFSET_OFFSET) != received) {
            // Something before it is missing (7.9).
            fail(TransportSense.PROTOCOL_SERVICE_CRC_ERROR);
        } else if (end > (unasked ? unsolicitedMax() : burstEnd)) {
            fail(TransportSense.INCORRECT_AMOUNT_OF_DATA);
        }
        return failure == null ? this : DataSink.NOWHERE;
    }

    /** A Data-Out that it {@link #awaits} is complete. */
    void dataReceived(PduHeader header, boolean isIntact) {
        if (header.dataLength() == 0) {
            var unused = sinkOf(header);
        }
        nextDataSn++;
        if (!isIntact) {
            fail(TransportSense.PROTOCOL_SERVICE_CRC_ERROR);
        }
        boolean unasked = header.intAt(Pdu.TTT_OFFSET) == Pdu.NO_TAG;
        boolean isFull = !unasked && received >= burstEnd;
        if (!header.isFinal() && !isFull) {
            return;
        }
        nextDataSn = 0;
        if (unasked) {
            unsolicitedOpen = false;
        } else {
            if (header.isFinal() != isFull) {
                fail(TransportSense.INCORRECT_AMOUNT_OF_DATA);
            }
            burstsOutstanding--;
            burstsAnswered++;
            burstEnd = Math.min(burstEnd + parameters.burstMax(), total);
        }
        advance();
    }

    private void fail(byte[] why) {
        if (failure == null) {
            failure = why;
        }
    }

    // ---- life

    /** It is its turn by CmdSN. */
    @Override
    public void run() {
        delivered = true;
        if (ended) {
            leaveWindow();
        } else {
            advance();
        }
    }

    private void advance() {
        if (!delivered || unsolicitedOpen || executing || ended) {
            return;
        }
        if (failure != null) {
            if (burstsOutstanding == 0) {
                concludeFailed(failure);
            }
            return;
        }
        if (!claimed && claimBytes() > 0) {
            claimed = tasks.budget().claim(this);
            if (!claimed) {
                return;
            }
        }
        if (received < total) {
            solicit();
        } else {
            execute();
        }
    }

    private void solicit() {
        ByteBuf data = dataOut;
        if (data == null) {
            dataOut = tasks.allocate(total, total);
        } else if (data.capacity() < total) {
            data.capacity(total);
        }
        if (r2tSn == 0) {
            solicited = received;
            burstEnd = Math.min(received + parameters.burstMax(), total);
            int bursts = (total - received + parameters.burstMax() - 1) / parameters.burstMax();
            firstTtt = tasks.takeTags(bursts);
        }
        while (burstsOutstanding < parameters.outstandingR2tMax() && solicited < total) {
            int length = Math.min(parameters.burstMax(), total - solicited);
            tasks.answers().solicit(this, firstTtt + r2tSn, r2tSn, solicited, length);
            solicited += length;
            r2tSn++;
            burstsOutstanding++;
        }
    }

    private void execute() {
        executing = true;
        ByteBuf data = Unpooled.EMPTY_BUFFER;
        if (dataOut != null) {
            data = dataOut.writerIndex(total);
        }
        int dataInMax = reads ? (int) Math.min(expectedLength, Integer.MAX_VALUE) : 0;
        tasks.target()
                .execute(new ScsiTask(tasks.port(), lun, cdb, data, writes ? expectedLength : 0, dataInMax), this);
    }

    @Override
    public void good(ByteBuf data) {
        dataIn = data;
        dataInLength = data.readableBytes();
        tasks.handBack(this);
    }

    @Override
    public void status(int scsiStatus, byte[] senseData) {
        status = scsiStatus;
        sense = senseData;
        tasks.handBack(this);
    }

    private void concludeFailed(byte[] why) {
        executing = true;
        status(ScsiStatus.CHECK_CONDITION, why);
    }

    /** The outcome is there; what was sent is needed no longer. */
    void executed() {
        executing = false;
        releaseDataOut();
    }

    /**
     * Answers the command no more. It ends at once, or when its execution has, or the data that it asked for has come (4.2.3.3).
     *
     * @param whenEnded run on the event loop
     */
    void abort(Runnable whenEnded) {
        if (ended) {
            whenEnded.run();
            return;
        }
        if (atEnd == null) {
            atEnd = new ArrayList<>(1);
        }
        atEnd.add(whenEnded);
        aborted = true;
        if (executing) {
            return;
        }
        if (burstsOutstanding > 0) {
            fail(NO_SENSE);
        } else {
            tasks.end(this);
        }
    }

    /** Ends an aborted command whose data did not come, or any when its connection is gone. */
    void abandonData() {
        if (!ended && !executing) {
            tasks.end(this);
        }
    }

    /** Makes room in the window. Before the answer is numbered, so that it tells of it. */
    void leaveWindow() {
        if (inWindow && delivered) {
            inWindow = false;
            tasks.left(this);
        }
    }

    /** All of the answer is written. */
    void answered() {
        tasks.end(this);
    }

    /** Gives back what it holds; only {@link TaskSet} calls this. */
    void end() {
        ended = true;
        releaseDataOut();
        takeDataIn().release();
        if (claimed) {
            claimed = false;
            tasks.budget().release(claimBytes());
        } else if (claimBytes() > 0) {
            tasks.budget().forget(this);
        }
        leaveWindow();
        List<Runnable> listeners = atEnd;
        if (listeners != null) {
            atEnd = null;
            listeners.forEach(Runnable::run);
        }
    }

    /** There is no event loop any more to hand the task back to: gives back the memory. */
    void forsake() {
        releaseDataOut();
        takeDataIn().release();
    }

    private void releaseDataOut() {
        ByteBuf data = dataOut;
        if (data != null) {
            dataOut = null;
            data.release();
        }
    }
}
