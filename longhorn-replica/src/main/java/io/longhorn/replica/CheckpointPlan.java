package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.LayerWork;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.PendingBlocks;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts together what a checkpoint moves: what the records up to its limit left in each block of each layer. Made in pieces, one in a turn of the loop, so that writes which come
 * meanwhile wait for a piece and not for all of them. They change nothing of it: their sequences lie beyond the limit. Loop only, but for sorting.
 */
final class CheckpointPlan {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final long limit;
    private final int pieceBlocks;
    /** What the records of the present layer left in each of its blocks. */
    private final PendingBlocks newest;

    private final List<LayerWork> works = new ArrayList<>();
    private final ByteBuffer crc = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private DiskWorker.Outcome outcome = failure -> {};
    private long nextSequence;
    /** Blocks of that record which were gathered already. */
    private int gathered;

    private @Nullable LayerNode layer;
    /** The blocks of the present layer in ascending order, and how many of them its work has. */
    private long[] blocks = new long[0];

    private int built;

    /** @param newest is used until the outcome, and keeps its memory for the next plan */
    CheckpointPlan(ReplicaDisk disk, ReplicaState replica, long limit, PendingBlocks newest) {
        this.disk = disk;
        this.replica = replica;
        this.limit = limit;
        this.pieceBlocks = disk.settings().checkpointPieceBlocks();
        this.newest = newest;
    }

    /** Tells {@code outcome} when the plan is made, at once if it is short. While it is made no layer file changes, and no record up to the limit goes. */
    void make(DiskWorker.Outcome whenMade) {
        outcome = whenMade;
        nextSequence = replica.checkpointed() + 1;
        newest.reset();
        gather();
    }

    /** One for each layer that has something to move, oldest first. */
    List<LayerWork> works() {
        return works;
    }

    private void gather() {
        int left = pieceBlocks;
        while (nextSequence <= limit) {
            if (changesBlocks(nextSequence)) {
                if (layer == null || !layer.tookRecord(nextSequence)) {
                    if (!newest.isEmpty()) {
                        // The records of a layer follow each other: what was gathered is all of it.
                        sort();
                        return;
                    }
                    layer = replica.tree.layerOf(nextSequence);
                }
                if (layer != null && layer.existedAt(limit)) {
                    left -= add(nextSequence, left);
                    if (left == 0) {
                        disk.loop().schedule(0, this::gather);
                        return;
                    }
                }
            }
            nextSequence++;
            gathered = 0;
        }
        if (newest.isEmpty()) {
            outcome.done(null);
        } else {
            sort();
        }
    }

    private boolean changesBlocks(long sequence) {
        int type = replica.records.type(sequence);
        return type == FrameType.WRITE.code()
                || type == FrameType.WRITE_ZEROES.code()
                || type == FrameType.DISCARD.code();
    }

    /** Adds at most so many more of the record's blocks; returns how many. If that is all that was asked for, there may be more. */
    private int add(long sequence, int blocksMax) {
        RecordIndex records = replica.records;
        boolean data = records.type(sequence) == FrameType.WRITE.code();
        boolean allocate = (records.flags(sequence) & FrameLayout.FLAG_ALLOCATE) != 0;
        long first = records.firstBlock(sequence) + gathered;
        int count = Math.min(records.blockCount(sequence) - gathered, blocksMax);
        long entry = MapEntry.of(data ? BlockState.DATA : BlockState.ZEROED, sequence);
        for (int i = 0; i < count; i++) {
            newest.put(first + i, entry, allocate ? 1 : 0, PendingBlocks.NO_POSITION);
        }
        gathered += count;
        return count;
    }

    private void sort() {
        if (newest.tableSize() <= pieceBlocks) {
            blocks = newest.tableBlocks();
            startBuilding();
            return;
        }
        disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> blocks = newest.tableBlocks(), failure -> {
            if (failure != null) {
                outcome.done(failure);
            } else {
                startBuilding();
            }
        });
    }

    private void startBuilding() {
        LayerNode present = layer;
        LayerFiles files = present == null ? null : present.files();
        if (present == null || files == null) {
            throw new IllegalStateException(present + " has no files");
        }
        built = 0;
        LayerWork work = new LayerWork(present, files, blocks.length);
        works.add(work);
        build(work, files);
    }

    private void build(LayerWork work, LayerFiles files) {
        int end = Math.min(blocks.length, built + pieceBlocks);
        try {
            for (; built < end; built++) {
                add(work, files, blocks[built]);
            }
        } catch (IOException e) {
            outcome.done(e);
            return;
        }
        if (built < blocks.length) {
            disk.loop().schedule(0, () -> build(work, files));
        } else {
            newest.reset();
            gather();
        }
    }

    private void add(LayerWork work, LayerFiles files, long block) throws IOException {
        int slot = newest.find(block);
        long entry = newest.entry(slot);
        if (mayBeOlderThanFile(MapEntry.sequence(entry))
                && isOlder(entry, files.map().entry(block))) {
            work.addPresent(block, entry);
        } else if (MapEntry.isData(entry)) {
            addData(work, block, entry);
        } else {
            work.addZeroes(block, entry, newest.crc(slot) != 0);
        }
    }

    /** Only what a restart read again from the journal may be older than what the layer has already. */
    private boolean mayBeOlderThanFile(long sequence) {
        return sequence <= replica.recoveredSequence();
    }

    private static boolean isOlder(long entry, long present) {
        return !MapEntry.isDamaged(present) && MapEntry.sequence(entry) < MapEntry.sequence(present);
    }

    private void addData(LayerWork work, long block, long entry) throws IOException {
        PendingBlocks pending = work.layer().pending();
        int slot = pending.find(block);
        if (slot != PendingBlocks.NONE && pending.entry(slot) == entry) {
            work.addData(block, entry, pending.crc(slot), pending.position(slot));
            return;
        }
        // A newer version that may not be moved yet hides this one.
        RecordIndex records = replica.records;
        long sequence = MapEntry.sequence(entry);
        int index = (int) (block - records.firstBlock(sequence));
        long payload = records.position(sequence) + RecordLayout.writeHeaderLength(records.blockCount(sequence));
        work.addData(block, entry, crcOf(sequence, index), payload + (long) index * BLOCK);
    }

    private int crcOf(long sequence, int index) throws IOException {
        RecordIndex records = replica.records;
        if (index == 0) {
            return records.firstCrc(sequence);
        }
        disk.journal().read(records.position(sequence) + RecordLayout.TABLE_OFFSET + 4L * index, crc.clear());
        return crc.getInt(0);
    }
}
