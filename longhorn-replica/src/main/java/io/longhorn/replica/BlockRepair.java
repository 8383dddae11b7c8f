package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.layer.BlockLookup;
import io.longhorn.replica.layer.BlockReader;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;

/**
 * Takes a good copy of a block that failed its check. The copy goes to the journal like a write, but changes no entry: it is taken only while the entry is still the one that
 * failed, and only if it is what that entry vouches for. A checkpoint puts it into its place. Loop only.
 */
final class BlockRepair {
    private BlockRepair() {}

    /**
     * Journals the copy and runs {@code done} when it is durable.
     *
     * @throws ReplicaRefusal if the block is not, or no longer, what failed
     */
    static void take(ReplicaState replica, Message.Repair repair, FramePool pool, Runnable done) throws IOException {
        ReplicaDisk disk = replica.disk;
        BlockLookup found = find(replica, repair);
        LayerNode layer = found.layer();
        long entry = found.isDamaged() ? MapEntry.of(BlockState.DATA, repair.sequence()) : found.entry();
        boolean taken = isStillTheOne(found, repair) || isLost(found, repair);
        if (layer == null || !taken || !RepairRecord.matches(repair.data(), repair.crc())) {
            throw new ReplicaRefusal(
                    ErrorCode.CONDITION_FAILED,
                    "block " + repair.block() + " is not what it was when it failed its check");
        }
        FrameBuffer frame = RepairRecord.encode(pool, layer.id(), repair.block(), entry, repair.crc(), repair.data());
        try {
            append(replica, layer, repair.block(), entry, repair.crc(), frame);
        } finally {
            frame.release();
        }
        disk.whenDurable(disk.journal().appendedPosition(), () -> {
            disk.noteWork();
            done.run();
        });
    }

    private static void append(
            ReplicaState replica, LayerNode layer, long block, long entry, int crc, FrameBuffer frame) {
        Journal.Appended appended = replica.disk
                .journal()
                .append(
                        replica.slot(),
                        frame.bytes(),
                        0,
                        frame.length(),
                        (at, position) -> RepairRecord.take(replica, layer, block, entry, crc, position));
        if (appended != Journal.Appended.DONE) {
            throw new ReplicaRefusal(
                    appended == Journal.Appended.FULL ? ErrorCode.DISK_FULL : ErrorCode.DISK_FAILED,
                    frame.length(),
                    0,
                    "the journal takes no repair: " + appended);
        }
    }

    /** The entry that a reader of that layer gets; with a sequence, the layer's own. */
    private static BlockLookup find(ReplicaState replica, Message.Repair repair) throws IOException {
        LayerId id = repair.layer();
        LayerNode from = id.isLive() ? replica.tree.head() : replica.tree.find(id);
        boolean outside = repair.block() >= replica.sizeBytes() / FrameLayout.BLOCK_BYTES;
        if (outside || from == null || repair.sequence() == 0) {
            BlockReader reader = replica.disk.reader();
            reader.look(outside ? null : from);
            return reader.find(repair.block());
        }
        BlockLookup own = new BlockLookup();
        if (!own.own(from, repair.block())) {
            own.nothing();
        }
        return own;
    }

    /** The layer's map does not know the block any more, and the engine says what its entry was. */
    private static boolean isLost(BlockLookup found, Message.Repair repair) {
        return found.isDamaged() && !repair.layer().isLive() && repair.sequence() > 0;
    }

    /** The rule for repairs: the entry is the one that failed, and so nothing newer covers the block. */
    private static boolean isStillTheOne(BlockLookup found, Message.Repair repair) {
        return found.isData()
                && found.crc() == repair.crc()
                && (repair.sequence() == 0 || found.sequence() == repair.sequence());
    }
}
