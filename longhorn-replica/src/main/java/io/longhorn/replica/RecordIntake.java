package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FailureMapping;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the records of one connection: checks each, gathers those that lie behind one another, has them appended to the journal with one write, and answers a batch with one
 * ACK. Loop only; a record that is taken allocates nothing.
 */
final class RecordIntake {
    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final Connection connection;
    private final long epoch;
    private final SpaceCredit.Account account = new SpaceCredit.Account();

    private @Nullable ByteBuffer batch;
    private int batchFrom;
    private int batchTo;
    /** Bytes of the batch that were sent on credit. */
    private int batchCreditBytes;

    private long batchLastSequence;
    private long batchLastEpoch;
    private long batchSizeBytes;
    private boolean syncDue;
    private boolean acknowledgementDue;
    private boolean toldFull;

    RecordIntake(ReplicaDisk disk, ReplicaState replica, Connection connection, long epoch) {
        this.disk = disk;
        this.replica = replica;
        this.connection = connection;
        this.epoch = epoch;
    }

    SpaceCredit.Account account() {
        return account;
    }

    // ------------------------------------------------------------------ checking

    /** Checks a record and adds it to the batch. Returns why it cannot be taken, null if it was; what came before it is taken either way. */
    Message.@Nullable Failure take(ByteBuffer b, int at, int length) {
        FrameFault fault = check(b, at, length);
        if (fault != FrameFault.NONE) {
            return refused(b, at, fault);
        }
        long sequence = RecordLayout.sequence(b, at);
        long recordEpoch = FrameLayout.epoch(b, at);
        if (batch == null) {
            batchLastSequence = replica.lastSequence();
            batchLastEpoch = replica.lastEpoch();
            batchSizeBytes = replica.sizeBytes();
        }
        if (!isNext(sequence, batchLastSequence) || !isOfItsTime(recordEpoch, batchLastEpoch)) {
            return gap(recordEpoch, sequence);
        }
        if (RecordLayout.offset(b, at) + RecordLayout.length(b, at) > batchSizeBytes) {
            Message.Failure refusal = FailureMapping.of(
                    ErrorCode.RANGE_REFUSED,
                    RecordLayout.offset(b, at),
                    batchSizeBytes,
                    "record " + sequence + " reaches beyond the volume's " + batchSizeBytes + " bytes");
            return endBatchWith(refusal);
        }
        if (isStructure(b, at)) {
            noteStructure(b, at);
        }
        if (!continuesBatch(b, at)) {
            Message.Failure failure = append();
            if (failure != null) {
                return failure;
            }
            batch = b;
            batchFrom = at;
            batchCreditBytes = 0;
        }
        batchTo = at + length;
        batchCreditBytes += RecordLayout.creditBytes(b, at);
        batchLastSequence = sequence;
        batchLastEpoch = recordEpoch;
        syncDue |= (FrameLayout.flags(b, at) & FrameLayout.FLAG_FORCED) != 0;
        return null;
    }

    /** Header, then every block: nothing goes into the journal that is not what the engine computed its checksums from. */
    private static FrameFault check(ByteBuffer b, int at, int length) {
        FrameFault fault = RecordLayout.check(b, at, length);
        if (fault == FrameFault.NONE && FrameLayout.slot(b, at) != 0) {
            return FrameFault.FIELD;
        }
        if (fault == FrameFault.NONE && !blocksMatch(b, at)) {
            return FrameFault.CHECKSUM;
        }
        return fault;
    }

    /** The rule for received data: every block matches its checksum. */
    private static boolean blocksMatch(ByteBuffer b, int at) {
        return RecordLayout.payloadMatches(b, at);
    }

    /** The rule for order: a record is taken only if its sequence is the last one plus one. */
    private static boolean isNext(long sequence, long last) {
        return sequence == last + 1;
    }

    /** The rule for epochs: none newer than what is promised here, none older than the record before it. */
    private boolean isOfItsTime(long recordEpoch, long lastEpoch) {
        return recordEpoch <= epoch && recordEpoch >= lastEpoch;
    }

    private static boolean isStructure(ByteBuffer b, int at) {
        int type = FrameLayout.type(b, at);
        return type >= FrameType.SNAPSHOT.code() && type <= FrameType.EPOCH_START.code();
    }

    /** Decodes it before it is journaled, so that what cannot be read never gets there. */
    private void noteStructure(ByteBuffer b, int at) {
        if (MessageCodec.decodeStructure(b, at) instanceof StructureOperation.Expand expand) {
            batchSizeBytes = Math.max(batchSizeBytes, expand.sizeBytes());
        }
    }

    /** Whether the frame stands directly behind the batch, in the same memory: identity is meant. */
    @SuppressWarnings("ReferenceEquality")
    private boolean continuesBatch(ByteBuffer b, int at) {
        return batch == b && batchTo == at;
    }

    private Message.Failure refused(ByteBuffer b, int at, FrameFault fault) {
        long sequence = fault == FrameFault.CUT ? 0 : RecordLayout.sequence(b, at);
        return endBatchWith(FailureMapping.of(fault, Math.max(0, sequence), "a record was refused: " + fault));
    }

    private Message.Failure gap(long recordEpoch, long sequence) {
        return endBatchWith(FailureMapping.of(
                ErrorCode.SEQUENCE_GAP,
                batchLastSequence + 1,
                sequence,
                "record " + recordEpoch + "-" + sequence + " does not follow " + batchLastEpoch + "-"
                        + batchLastSequence + " under promise " + epoch));
    }

    private Message.Failure endBatchWith(Message.Failure refusal) {
        Message.Failure failure = append();
        return failure != null ? failure : refusal;
    }

    // ------------------------------------------------------------------ appending

    /** Appends what was gathered. Returns why that could not be, null if all is well. */
    Message.@Nullable Failure append() {
        ByteBuffer b = batch;
        if (b == null) {
            return null;
        }
        batch = null;
        disk.space().use(account, batchCreditBytes);
        return switch (disk.append(replica, b, batchFrom, batchTo)) {
            case DONE -> {
                acknowledgementDue = true;
                yield null;
            }
            case FULL ->
                FailureMapping.of(
                        ErrorCode.DISK_FULL, batchTo - batchFrom, disk.journal().freeBytes(), "the journal is full");
            case FAILED -> FailureMapping.of(ErrorCode.DISK_FAILED, "the journal failed");
        };
    }

    /** The batch is over: what waits for its end is done. */
    void endBatch() {
        if (syncDue) {
            syncDue = false;
            disk.journal().requestSync();
        }
        if (acknowledgementDue) {
            acknowledge();
            disk.checkpointIfDue();
        }
    }

    // ------------------------------------------------------------------ answering

    /** Tells what is journaled and durable, and grants credit. */
    void acknowledge() {
        acknowledgementDue = false;
        boolean full = disk.space().grant(account);
        acknowledge(full);
    }

    /** Grants credit, and tells it if it grew, or that it will not for want of space. */
    void feed() {
        long before = account.grantedBytes();
        boolean full = disk.space().grant(account);
        if (account.grantedBytes() > before || full != toldFull) {
            acknowledge(full);
        }
    }

    private void acknowledge(boolean full) {
        toldFull = full;
        FrameBuffer frame = connection.pool().acquire(AckLayout.FRAME_BYTES);
        AckLayout.encode(frame, epoch, journaledForAck(), durableForAck(), account.grantedBytes(), full);
        connection.send(frame);
        replica.acknowledgedNow(disk.loop().nanoTime());
    }

    /** The rule for what is called journaled: only what the journal has taken. */
    private long journaledForAck() {
        return replica.lastSequence();
    }

    /** The rule for what is called durable: only what a sync of the journal has covered. */
    private long durableForAck() {
        return replica.durable();
    }
}
