package io.longhorn.frontend.scsi;

import io.longhorn.frontend.FrontendMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** One command at work. Whoever ends it first does; a later end changes nothing and is told so. */
final class RunningCommand {

    private static final byte[] NO_SENSE_DATA = {};

    private final LogicalUnit unit;
    private final Nexus nexus;
    private final @Nullable Flight flight;
    private final AtomicBoolean ended = new AtomicBoolean();
    private final ScsiTask task;
    private final ScsiOutcome outcome;

    /** @param awaited whether preempting the nexus has to wait for this command */
    RunningCommand(LogicalUnit unit, Nexus nexus, ScsiTask task, ScsiOutcome outcome, boolean awaited) {
        this.unit = unit;
        this.nexus = nexus;
        this.task = task;
        this.outcome = outcome;
        this.flight = awaited ? nexus.board() : null;
    }

    LogicalUnit unit() {
        return unit;
    }

    Nexus nexus() {
        return nexus;
    }

    byte[] cdb() {
        return task.cdb();
    }

    ByteBuf dataOut() {
        return task.dataOut();
    }

    /** How many bytes the initiator expected to send. */
    long dataOutExpected() {
        return task.dataOutExpected();
    }

    /** What the command carries of its own accord, {@code wanted} bytes. A command of which this is not all, or of which more was sent, must not run (FCP-4 9.5.8 says how). */
    ByteBuf exactDataOut(long wanted) {
        if (task.dataOutExpected() != wanted || task.dataOut().readableBytes() < wanted) {
            throw new CheckCondition(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        }
        return task.dataOut().slice(task.dataOut().readerIndex(), (int) wanted);
    }

    /** Empty memory for what the device reads. */
    ByteBuf allocate(int lengthBytes) {
        return FrontendMemory.pool().directBuffer(lengthBytes, lengthBytes);
    }

    /** Memory that is to be filled with data for the initiator, all of it readable, with room in front for what the transport sends before it. */
    ByteBuf allocateDataIn(int lengthBytes) {
        int end = ScsiOutcome.HEADROOM_BYTES + lengthBytes;
        return FrontendMemory.pool().directBuffer(end, end).setIndex(ScsiOutcome.HEADROOM_BYTES, end);
    }

    void good() {
        good(Unpooled.EMPTY_BUFFER);
    }

    /** Takes the buffer. */
    void good(ByteBuf dataIn) {
        if (!end()) {
            dataIn.release();
            return;
        }
        leave();
        outcome.good(dataIn);
    }

    /** As many bytes as the allocation length allows. */
    void good(byte[] dataIn, long allocationBytes) {
        good(Unpooled.wrappedBuffer(dataIn, 0, (int) Math.min(dataIn.length, allocationBytes)));
    }

    void fail(Sense sense) {
        end(ScsiStatus.CHECK_CONDITION, sense.encode(unit.modes().descriptorSense()));
    }

    void fail(SenseCode code) {
        fail(Sense.of(code));
    }

    /** The device failed, or the command was wrong. */
    void fail(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        fail(cause instanceof CheckCondition check ? check.sense() : Sense.of(cause, Cdb.lba(cdb())));
    }

    /** An operation of the device ended, and with it the command. */
    void end(@Nullable Throwable failure) {
        if (failure == null) {
            good();
        } else {
            fail(failure);
        }
    }

    void end(int scsiStatus) {
        end(scsiStatus, NO_SENSE_DATA);
    }

    private void end(int scsiStatus, byte[] sense) {
        if (end()) {
            leave();
            outcome.status(scsiStatus, sense);
        }
    }

    private void leave() {
        if (flight != null) {
            flight.leave();
        }
    }

    private boolean end() {
        return ended.compareAndSet(false, true);
    }
}
