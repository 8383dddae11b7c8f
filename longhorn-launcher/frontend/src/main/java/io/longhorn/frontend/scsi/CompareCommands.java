package io.longhorn.frontend.scsi;

import io.longhorn.Volume;
import io.longhorn.WriteOption;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/** Commands that look at what the unit holds before they answer: VERIFY, WRITE AND VERIFY, COMPARE AND WRITE, ORWRITE (SBC-3 5.33, 5.43, 5.2, 5.13). */
final class CompareCommands {

    /** How much COMPARE AND WRITE takes, in logical blocks. */
    static final int COMPARE_AND_WRITE_BLOCKS_MAX = Volume.COMPARE_AND_WRITE_BYTES_MAX / Cdb.BLOCK_BYTES;

    private static final int BYTE_CHECK_MASK = 0x06;
    private static final int BYTE_CHECK_SHIFT = 1;
    private static final int BYTE_CHECK_BIT = 2;

    /** The values of BYTCHK (SBC-3 table 114). */
    private static final int CHECK_MEDIUM = 0;

    private static final int CHECK_ALL_BLOCKS = 1;
    private static final int CHECK_ONE_BLOCK = 3;

    private CompareCommands() {}

    /** How many bytes VERIFY wants. */
    static long verifyDataOut(byte[] cdb) {
        return switch (byteCheck(cdb)) {
            case CHECK_ALL_BLOCKS -> Cdb.blocks(cdb) << Cdb.BLOCK_SHIFT;
            case CHECK_ONE_BLOCK -> Cdb.BLOCK_BYTES;
            default -> 0;
        };
    }

    private static int byteCheck(byte[] cdb) {
        return (cdb[1] & BYTE_CHECK_MASK) >> BYTE_CHECK_SHIFT;
    }

    static void verify(RunningCommand command) {
        byte[] cdb = command.cdb();
        TransferCommands.checkUnprotected(cdb);
        BlockRange range = BlockRange.of(command);
        int lengthField = TransferCommands.lengthField(Cdb.lengthBytes(Cdb.operationCode(cdb)));
        switch (byteCheck(cdb)) {
            case CHECK_MEDIUM -> new Verification(command, range, Expected.NOTHING).next();
            case CHECK_ALL_BLOCKS -> {
                range.atMost(ScsiTarget.TRANSFER_BLOCKS_MAX, lengthField);
                ByteBuf dataOut = command.exactDataOut(range.lengthBytes());
                new Verification(command, range, Expected.all(dataOut)).next();
            }
            case CHECK_ONE_BLOCK -> {
                ByteBuf dataOut = command.exactDataOut(range.isEmpty() ? 0 : Cdb.BLOCK_BYTES);
                new Verification(command, range, Expected.repeated(dataOut)).next();
            }
            default -> throw new CheckCondition(Sense.cdbField(1, BYTE_CHECK_BIT));
        }
    }

    /** Writes through to stable storage, and reads what is there then. */
    static void writeAndVerify(RunningCommand command) {
        byte[] cdb = command.cdb();
        BlockRange range = TransferCommands.transferRange(command);
        int check = byteCheck(cdb);
        if (check != CHECK_MEDIUM && check != CHECK_ALL_BLOCKS) {
            throw new CheckCondition(Sense.cdbField(1, BYTE_CHECK_BIT));
        }
        command.unit().checkWritable();
        ByteBuf dataOut = command.dataOut();
        int lengthBytes = (int) Math.min(range.lengthBytes(), dataOut.readableBytes());
        if (lengthBytes == 0) {
            command.good();
            return;
        }
        // An initiator that sends less than the command says gets less written, and so less verified.
        BlockRange verified = new BlockRange(range.lba(), lengthBytes >> Cdb.BLOCK_SHIFT);
        Expected expected = check == CHECK_MEDIUM ? Expected.NOTHING : Expected.all(dataOut);
        var unused = command.unit()
                .device()
                .writeAsync(
                        range.offsetBytes(), dataOut.nioBuffer(dataOut.readerIndex(), lengthBytes), WriteOption.FORCED)
                .whenComplete((nothing, failure) -> {
                    if (failure == null) {
                        new Verification(command, verified, expected).next();
                    } else {
                        command.fail(failure);
                    }
                });
    }

    static long compareAndWriteDataOut(byte[] cdb) {
        return 2L * Cdb.u8(cdb, 13) * Cdb.BLOCK_BYTES;
    }

    static void compareAndWrite(RunningCommand command) {
        byte[] cdb = command.cdb();
        TransferCommands.checkUnprotected(cdb);
        BlockRange range = BlockRange.of(command, Cdb.u8(cdb, 13)).atMost(COMPARE_AND_WRITE_BLOCKS_MAX, 13);
        command.unit().checkWritable();
        int lengthBytes = (int) range.lengthBytes();
        if (command.dataOutExpected() != 2L * lengthBytes) {
            // A number of blocks that does not fit its byte looks like a smaller one, and is no less wrong than other
            // large ones.
            throw new CheckCondition(Sense.cdbField(13));
        }
        ByteBuf dataOut = command.exactDataOut(2L * lengthBytes);
        if (range.isEmpty()) {
            command.good();
            return;
        }
        int start = dataOut.readerIndex();
        var unused = command.unit()
                .device()
                .compareAndWriteAsync(
                        range.offsetBytes(),
                        dataOut.nioBuffer(start, lengthBytes),
                        dataOut.nioBuffer(start + lengthBytes, lengthBytes),
                        TransferCommands.durability(command))
                .whenComplete((result, failure) -> {
                    if (failure != null) {
                        command.fail(failure);
                    } else if (result.written()) {
                        command.good();
                    } else {
                        command.fail(Sense.of(SenseCode.MISCOMPARE_DURING_VERIFY, result.mismatchBytes()));
                    }
                });
    }

    static void orWrite(RunningCommand command) {
        BlockRange range = TransferCommands.transferRange(command);
        command.unit().checkWritable();
        ByteBuf dataOut = command.exactDataOut(range.lengthBytes());
        if (range.isEmpty()) {
            command.good();
            return;
        }
        new OrWrite(command, range, dataOut).next();
    }

    /** What a verified range shall hold. */
    private record Expected(ByteBuffer bytes, boolean repeated) {

        static final Expected NOTHING = new Expected(ByteBuffer.allocate(0), true);

        static Expected all(ByteBuf dataOut) {
            return new Expected(dataOut.nioBuffer(), false);
        }

        static Expected repeated(ByteBuf block) {
            return new Expected(block.nioBuffer(), true);
        }

        /** The distance from the start of what was read to the first byte that is not as expected, -1 if all is. */
        int mismatch(ByteBuffer read, long startBytes) {
            if (!bytes.hasRemaining()) {
                return -1;
            }
            return repeated ? mismatchOfRepeated(read) : mismatchOfAll(read, (int) startBytes);
        }

        private int mismatchOfAll(ByteBuffer read, int startBytes) {
            return read.mismatch(bytes.slice(bytes.position() + startBytes, read.remaining()));
        }

        private int mismatchOfRepeated(ByteBuffer read) {
            for (int at = 0; at < read.limit(); at += Cdb.BLOCK_BYTES) {
                int mismatch = read.slice(at, Cdb.BLOCK_BYTES).mismatch(bytes);
                if (mismatch >= 0) {
                    return at + mismatch;
                }
            }
            return -1;
        }
    }

    /** Reads a range in pieces, one after the other, and compares each. */
    private static final class Verification {

        private static final int PIECE_BYTES = 256 << 10;

        private final RunningCommand command;
        private final BlockRange range;
        private final Expected expected;
        private final SerialLoop loop = new SerialLoop(this::readPiece);
        private long doneBytes;

        Verification(RunningCommand command, BlockRange range, Expected expected) {
            this.command = command;
            this.range = range;
            this.expected = expected;
        }

        void next() {
            loop.run();
        }

        private void readPiece() {
            if (doneBytes == range.lengthBytes()) {
                command.good();
                return;
            }
            int pieceBytes = (int) Math.min(PIECE_BYTES, range.lengthBytes() - doneBytes);
            ByteBuf piece = command.allocate(pieceBytes);
            var unused = command.unit()
                    .device()
                    .readAsync(range.offsetBytes() + doneBytes, piece.nioBuffer(0, pieceBytes))
                    .whenComplete((nothing, failure) -> {
                        int mismatch =
                                failure == null ? expected.mismatch(piece.nioBuffer(0, pieceBytes), doneBytes) : -1;
                        piece.release();
                        if (failure != null) {
                            command.fail(failure);
                        } else if (mismatch >= 0) {
                            command.fail(Sense.of(SenseCode.MISCOMPARE_DURING_VERIFY, doneBytes + mismatch));
                        } else {
                            doneBytes += pieceBytes;
                            next();
                        }
                    });
        }
    }

    /**
     * Sets bits in pieces, each of them as one step towards all other operations: what is there is read, and replaced only if it is still there. A piece that others change
     * each time makes the command end with BUSY after a number of tries; the initiator repeats it, which is harmless since bits are set already.
     */
    private static final class OrWrite {

        private static final int TRIES_MAX = 64;

        private final RunningCommand command;
        private final BlockRange range;
        private final ByteBuf bits;
        private final SerialLoop loop = new SerialLoop(this::readPiece);
        private long doneBytes;
        private int tries;

        OrWrite(RunningCommand command, BlockRange range, ByteBuf bits) {
            this.command = command;
            this.range = range;
            this.bits = bits;
        }

        void next() {
            loop.run();
        }

        private void readPiece() {
            if (doneBytes == range.lengthBytes()) {
                command.good();
                return;
            }
            if (tries++ == TRIES_MAX) {
                command.end(ScsiStatus.BUSY);
                return;
            }
            int pieceBytes = (int) Math.min(Volume.COMPARE_AND_WRITE_BYTES_MAX, range.lengthBytes() - doneBytes);
            ByteBuffer before = ByteBuffer.allocate(pieceBytes);
            var unused = command.unit()
                    .device()
                    .readAsync(range.offsetBytes() + doneBytes, before)
                    .whenComplete((nothing, failure) -> {
                        if (failure == null) {
                            replacePiece(before.flip());
                        } else {
                            command.fail(failure);
                        }
                    });
        }

        private void replacePiece(ByteBuffer before) {
            int pieceBytes = before.remaining();
            ByteBuffer after = ByteBuffer.allocate(pieceBytes);
            int start = bits.readerIndex() + (int) doneBytes;
            for (int i = 0; i < pieceBytes; i++) {
                after.put(i, (byte) (before.get(i) | bits.getByte(start + i)));
            }
            var unused = command.unit()
                    .device()
                    .compareAndWriteAsync(
                            range.offsetBytes() + doneBytes, before, after, TransferCommands.durability(command))
                    .whenComplete((result, failure) -> {
                        if (failure != null) {
                            command.fail(failure);
                            return;
                        }
                        if (result.written()) {
                            doneBytes += pieceBytes;
                            tries = 0;
                        }
                        next();
                    });
        }
    }
}
