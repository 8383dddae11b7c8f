package io.longhorn.frontend.scsi;

import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Commands of thin provisioning: UNMAP, WRITE SAME, GET LBA STATUS (SBC-3 5.28, 5.48, 5.6). */
final class ProvisioningCommands {

    /** Block descriptors of one UNMAP. */
    static final int UNMAP_DESCRIPTORS_MAX = 256;

    /** Blocks of all of them. */
    static final int UNMAP_BLOCKS_MAX = 1 << 20;

    /** Blocks of one WRITE SAME: 16 MiB. */
    static final int WRITE_SAME_BLOCKS_MAX = 1 << 15;

    private static final int UNMAP_HEADER_BYTES = 8;
    private static final int UNMAP_DESCRIPTOR_BYTES = 16;
    private static final int ANCHOR_MASK_OF_UNMAP = 0x01;
    private static final int ANCHOR_MASK = 0x10;
    private static final int ANCHOR_BIT = 4;
    private static final int UNMAP_MASK = 0x08;
    private static final int OBSOLETE_MASK = 0x06;
    private static final int NO_DATA_OUT_MASK = 0x01;
    private static final int WRITE_SAME_16 = 0x93;

    /** How far one GET LBA STATUS looks, in bytes; it tells less than the whole unit then, which is its right. */
    private static final long STATUS_BYTES_MAX = 1L << 30;

    private static final int STATUS_HEADER_BYTES = 8;
    private static final int STATUS_DESCRIPTOR_BYTES = 16;
    private static final int STATUS_DESCRIPTORS_MAX = 1024;
    private static final byte MAPPED = 0;
    private static final byte DEALLOCATED = 1;

    private ProvisioningCommands() {}

    static void unmap(RunningCommand command) {
        byte[] cdb = command.cdb();
        if (Cdb.isSet(cdb, 1, ANCHOR_MASK_OF_UNMAP)) {
            throw new CheckCondition(Sense.cdbField(1, 0));
        }
        int listBytes = Cdb.u16(cdb, 7);
        ByteBuffer list = command.exactDataOut(listBytes).nioBuffer();
        command.unit().checkWritable();
        if (listBytes == 0) {
            command.good();
            return;
        }
        List<BlockRange> ranges = unmapRanges(command.unit(), list);
        BlockDevice device = command.unit().device();
        List<CompletionStage<Void>> discards = new ArrayList<>(ranges.size());
        for (BlockRange range : ranges) {
            discards.add(device.discardAsync(range.offsetBytes(), range.lengthBytes()));
        }
        var unused = CompletableFuture.allOf(discards.stream()
                        .map(CompletionStage::toCompletableFuture)
                        .toArray(CompletableFuture[]::new))
                .whenComplete((nothing, failure) -> command.end(failure));
    }

    private static List<BlockRange> unmapRanges(LogicalUnit unit, ByteBuffer list) {
        if (list.remaining() < UNMAP_HEADER_BYTES) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        int descriptorBytes = Math.min(list.getShort(2) & 0xffff, list.remaining() - UNMAP_HEADER_BYTES);
        int descriptors = descriptorBytes / UNMAP_DESCRIPTOR_BYTES;
        if (descriptors > UNMAP_DESCRIPTORS_MAX) {
            throw new CheckCondition(Sense.parameterField(2));
        }
        List<BlockRange> ranges = new ArrayList<>(descriptors);
        long blocks = 0;
        for (int i = 0; i < descriptors; i++) {
            int at = UNMAP_HEADER_BYTES + i * UNMAP_DESCRIPTOR_BYTES;
            long length = list.getInt(at + 8) & 0xffff_ffffL;
            blocks += length;
            if (blocks > UNMAP_BLOCKS_MAX) {
                throw new CheckCondition(Sense.parameterField(at + 8));
            }
            if (length > 0) {
                ranges.add(BlockRange.checked(unit, list.getLong(at), length));
            }
        }
        return ranges;
    }

    static long writeSameDataOut(byte[] cdb) {
        return withoutData(cdb) ? 0 : Cdb.BLOCK_BYTES;
    }

    private static boolean withoutData(byte[] cdb) {
        return Cdb.operationCode(cdb) == WRITE_SAME_16 && Cdb.isSet(cdb, 1, NO_DATA_OUT_MASK);
    }

    /**
     * Zeroes are never sent to the device: they are noted, with their space kept. UNMAP discards whatever block comes with it, as other targets do; initiators send zeroes
     * there, and libiscsi's tests expect zeroes to be read even when they sent something else.
     */
    static void writeSame(RunningCommand command) {
        byte[] cdb = command.cdb();
        TransferCommands.checkUnprotected(cdb);
        if (Cdb.isSet(cdb, 1, ANCHOR_MASK)) {
            throw new CheckCondition(Sense.cdbField(1, ANCHOR_BIT));
        }
        if (Cdb.isSet(cdb, 1, OBSOLETE_MASK)) {
            throw new CheckCondition(Sense.cdbField(1, 2));
        }
        BlockRange range = writeSameRange(command);
        command.unit().checkWritable();
        ByteBuf block = command.exactDataOut(writeSameDataOut(cdb));
        BlockDevice device = command.unit().device();
        if (Cdb.isSet(cdb, 1, UNMAP_MASK)) {
            var unused = device.discardAsync(range.offsetBytes(), range.lengthBytes())
                    .whenComplete((nothing, failure) -> command.end(failure));
        } else if (withoutData(cdb) || isZero(block)) {
            var unused = device.writeZeroesAsync(range.offsetBytes(), range.lengthBytes(), ZeroOption.ALLOCATE)
                    .whenComplete((nothing, failure) -> command.end(failure));
        } else {
            new WriteSame(command, range, block).next();
        }
    }

    /** No blocks means all up to the last one, unless those are too many (SBC-3 5.48). */
    private static BlockRange writeSameRange(RunningCommand command) {
        BlockRange range = BlockRange.of(command);
        if (range.isEmpty()) {
            range = new BlockRange(range.lba(), command.unit().blocks() - range.lba());
        }
        int cdbBytes = Cdb.lengthBytes(Cdb.operationCode(command.cdb()));
        return range.atMost(WRITE_SAME_BLOCKS_MAX, TransferCommands.lengthField(cdbBytes));
    }

    private static boolean isZero(ByteBuf block) {
        return block.forEachByte(value -> value == 0) < 0;
    }

    /** Writes one block again and again, in pieces. */
    private static final class WriteSame {

        private static final int PIECE_BYTES = 256 << 10;

        private final RunningCommand command;
        private final BlockRange range;
        private final ByteBuffer piece;
        private final SerialLoop loop = new SerialLoop(this::writePiece);
        private long doneBytes;

        WriteSame(RunningCommand command, BlockRange range, ByteBuf block) {
            this.command = command;
            this.range = range;
            this.piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, range.lengthBytes()));
            while (piece.hasRemaining()) {
                piece.put(block.nioBuffer(block.readerIndex(), Cdb.BLOCK_BYTES));
            }
            piece.flip();
        }

        void next() {
            loop.run();
        }

        private void writePiece() {
            if (doneBytes == range.lengthBytes()) {
                command.good();
                return;
            }
            int pieceBytes = (int) Math.min(piece.capacity(), range.lengthBytes() - doneBytes);
            var unused = command.unit()
                    .device()
                    .writeAsync(
                            range.offsetBytes() + doneBytes,
                            piece.slice(0, pieceBytes),
                            command.unit().writeOptions())
                    .whenComplete((nothing, failure) -> {
                        if (failure == null) {
                            doneBytes += pieceBytes;
                            next();
                        } else {
                            command.fail(failure);
                        }
                    });
        }
    }

    /** On a worker, since the device may have to ask. */
    static void getLbaStatus(RunningCommand command) {
        byte[] cdb = command.cdb();
        BlockRange start = BlockRange.of(command, 0);
        long allocationBytes = Cdb.u32(cdb, 10);
        command.unit()
                .work(command, () -> command.good(lbaStatus(command.unit(), start, allocationBytes), allocationBytes));
    }

    private static byte[] lbaStatus(LogicalUnit unit, BlockRange start, long allocationBytes) {
        long lengthBytes = Math.min(STATUS_BYTES_MAX, unit.device().sizeBytes() - start.offsetBytes());
        long room = Math.max(1, (allocationBytes - STATUS_HEADER_BYTES) / STATUS_DESCRIPTOR_BYTES);
        List<Extent> extents =
                merged(unit.device().allocation(start.offsetBytes(), lengthBytes), start.offsetBytes(), (int)
                        Math.min(room, STATUS_DESCRIPTORS_MAX));
        ByteBuffer data = ByteBuffer.allocate(STATUS_HEADER_BYTES + extents.size() * STATUS_DESCRIPTOR_BYTES);
        data.putInt(data.capacity() - 4).putInt(0);
        for (Extent extent : extents) {
            data.putLong(extent.offsetBytes() >> Cdb.BLOCK_SHIFT)
                    .putInt((int) (extent.lengthBytes() >> Cdb.BLOCK_SHIFT))
                    .put(extent.state() == ExtentState.DATA ? MAPPED : DEALLOCATED)
                    .put(new byte[3]);
        }
        return data.array();
    }

    /** Neighbours that are the same to an initiator become one. The first begins where it was asked for, as SBC-3 5.6.2.3 wants it. */
    private static List<Extent> merged(List<Extent> extents, long startBytes, int extentsMax) {
        List<Extent> merged = new ArrayList<>();
        for (Extent extent : extents) {
            long from = Math.max(extent.offsetBytes(), startBytes);
            boolean mapped = extent.state() == ExtentState.DATA;
            int last = merged.size() - 1;
            if (last >= 0 && (merged.get(last).state() == ExtentState.DATA) == mapped) {
                Extent before = merged.get(last);
                merged.set(
                        last,
                        new Extent(before.offsetBytes(), extent.endBytes() - before.offsetBytes(), before.state()));
            } else if (merged.size() == extentsMax) {
                break;
            } else {
                merged.add(new Extent(from, extent.endBytes() - from, extent.state()));
            }
        }
        return merged;
    }
}
