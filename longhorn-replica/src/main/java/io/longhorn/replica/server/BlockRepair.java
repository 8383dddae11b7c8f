package io.longhorn.replica.server;

import io.longhorn.replica.DiskFile;
import io.longhorn.replica.DiskWorker;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Puts good bytes in the place of a block that failed its check. The map entry does not change, so nothing but the bytes it vouches for can be written: they are
 * taken only if they match the entry's own CRC. A crash in the middle leaves the block bad, to be repaired again. Loop only.
 */
final class BlockRepair {
    private final ReplicaDisk disk;
    private final ReplicaState replica;

    BlockRepair(ReplicaDisk disk, ReplicaState replica) {
        this.disk = disk;
        this.replica = replica;
    }

    /** False if the block is not, or no longer, what failed; else {@code done} runs when the repair is durable. */
    boolean apply(Message.Repair repair, Runnable done) throws IOException {
        BlockLookup lookup = replica.lookup;
        find(repair, lookup);
        LayerNode node = lookup.layer;
        if (node == null || !isStillTheOne(repair, lookup)) {
            return false;
        }
        DiskFile data = node.files.dataFile();
        node.files.retain();
        ByteBuffer bytes = ByteBuffer.allocateDirect(FrameLayout.BLOCK_BYTES)
                .put(repair.data())
                .flip();
        disk.worker()
                .run(
                        DiskWorker.Lane.CHECKPOINT,
                        () -> {
                            data.write(repair.block() * FrameLayout.BLOCK_BYTES, bytes);
                            data.sync();
                        },
                        failure -> {
                            node.files.release();
                            if (failure != null) {
                                disk.failed(failure);
                            } else {
                                done.run();
                            }
                        });
        return true;
    }

    /** The entry that serves a read of that layer; with a sequence, the layer's own. */
    private void find(Message.Repair repair, BlockLookup lookup) throws IOException {
        LayerId id = repair.layer();
        @Nullable LayerNode from = id.isLive() ? replica.tree.head() : replica.tree.find(id);
        if (repair.sequence() == 0 || from == null) {
            lookup.merged(from, repair.block());
        } else {
            lookup.own(from, repair.block());
        }
    }

    /** Rule: the entry is the one that failed, nothing newer covers the block, and the bytes are the ones it vouches for. */
    private boolean isStillTheOne(Message.Repair repair, BlockLookup lookup) {
        return lookup.isData()
                && lookup.journalPosition < 0
                && !replica.checkpointing
                && lookup.crc == repair.crc()
                && (repair.sequence() == 0 || lookup.sequence == repair.sequence())
                && repair.data().length == FrameLayout.BLOCK_BYTES
                && Checksum.block(ByteBuffer.wrap(repair.data()), 0) == repair.crc();
    }
}
