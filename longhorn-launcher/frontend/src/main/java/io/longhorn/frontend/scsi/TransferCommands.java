package io.longhorn.frontend.scsi;

import io.longhorn.WriteOption;
import io.longhorn.frontend.BlockDevice;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletionStage;

/** READ, WRITE, and what makes writes durable (SBC-3 5.15, 5.39, 5.32). */
final class TransferCommands {

    private static final int PROTECT_MASK = 0xe0;
    private static final int PROTECT_BIT = 7;
    private static final int FUA_MASK = 0x08;
    private static final int IMMED_MASK = 0x02;

    /** How much PRE-FETCH reads; more would only push out what others want. */
    private static final int PREFETCH_BYTES_MAX = 1 << 20;

    private static final WriteOption[] FORCED = {WriteOption.FORCED};

    private TransferCommands() {}

    static void read(RunningCommand command) {
        BlockRange range = transferRange(command);
        if (range.isEmpty()) {
            command.good();
            return;
        }
        int lengthBytes = (int) range.lengthBytes();
        ByteBuf dataIn = command.allocateDataIn(lengthBytes);
        CompletionStage<Void> done = command.unit().device().readAsync(range.offsetBytes(), dataIn.nioBuffer());
        var unused = done.whenComplete((nothing, failure) -> {
            if (failure == null) {
                command.good(dataIn);
            } else {
                dataIn.release();
                command.fail(failure);
            }
        });
    }

    /** Writes what the initiator has, if that is less than what the command wants: the transport tells it about the rest (RFC 7143 11.4.5). */
    static void write(RunningCommand command) {
        BlockRange range = transferRange(command);
        command.unit().checkWritable();
        ByteBuf dataOut = command.dataOut();
        int lengthBytes = (int) Math.min(range.lengthBytes(), dataOut.readableBytes());
        if (lengthBytes == 0) {
            command.good();
            return;
        }
        var unused = command.unit()
                .device()
                .writeAsync(
                        range.offsetBytes(), dataOut.nioBuffer(dataOut.readerIndex(), lengthBytes), durability(command))
                .whenComplete((nothing, failure) -> command.end(failure));
    }

    /** A write that ended is durable when the command asks for it, or the unit has no write cache. */
    static WriteOption[] durability(RunningCommand command) {
        byte[] cdb = command.cdb();
        boolean fua = Cdb.lengthBytes(Cdb.operationCode(cdb)) > 6 && Cdb.isSet(cdb, 1, FUA_MASK);
        return fua ? FORCED : command.unit().writeOptions();
    }

    /** The range that a command moves data of. Checks its protection field, which 6-byte commands have not. */
    static BlockRange transferRange(RunningCommand command) {
        byte[] cdb = command.cdb();
        int cdbBytes = Cdb.lengthBytes(Cdb.operationCode(cdb));
        if (cdbBytes > 6) {
            checkUnprotected(cdb);
        }
        return BlockRange.of(command).atMost(ScsiTarget.TRANSFER_BLOCKS_MAX, lengthField(cdbBytes));
    }

    /** There is no protection information, so none may be asked for (SBC-3 tables 59 and following). */
    static void checkUnprotected(byte[] cdb) {
        if (Cdb.isSet(cdb, 1, PROTECT_MASK)) {
            throw new CheckCondition(Sense.cdbField(1, PROTECT_BIT));
        }
    }

    static int lengthField(int cdbBytes) {
        return switch (cdbBytes) {
            case 6 -> 4;
            case 12 -> 6;
            case 16 -> 10;
            default -> 7;
        };
    }

    /** Waits for the flush also if the command asks for an early answer, since a failure could not be told later. */
    static void synchronizeCache(RunningCommand command) {
        BlockRange.of(command);
        flush(command);
    }

    static void flush(RunningCommand command) {
        var unused = command.unit().device().flushAsync().whenComplete((nothing, failure) -> command.end(failure));
    }

    /** Reads what it can hold, so that a cache under the device has it. Asked for an early answer it reads nothing: reads that nobody waits for would have no bound. */
    static void prefetch(RunningCommand command) {
        BlockRange range = BlockRange.of(command);
        if (range.isEmpty() || Cdb.isSet(command.cdb(), 1, IMMED_MASK)) {
            command.good();
            return;
        }
        int lengthBytes = (int) Math.min(range.lengthBytes(), PREFETCH_BYTES_MAX);
        ByteBuf unwanted = command.allocate(lengthBytes);
        BlockDevice device = command.unit().device();
        var unused = device.readAsync(range.offsetBytes(), unwanted.nioBuffer(0, lengthBytes))
                .whenComplete((nothing, failure) -> {
                    unwanted.release();
                    command.end(failure);
                });
    }
}
