package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.SyncFailedException;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.MapUpdates;
import io.longhorn.replica.wire.AlignedMemory;
import io.longhorn.replica.wire.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * One step of merging a residual layer into its only child: copies the next part of its blocks, with sequence and checksum, to where the child says nothing. A reader of the child sees
 * the same before and after, so a crash in between does no harm. When all is copied, punching finds everything overridden and the layer goes.
 */
final class LayerMerge implements LayerChanges.Change {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Blocks of the volume that one step looks through. */
    private static final long STEP_BLOCKS = 64L * MapPage.ENTRIES;

    private static final int RUN_BLOCKS_MAX = 256;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final LayerNode node;
    private final LayerFiles files;
    private final LayerNode child;
    private final LayerFiles childFiles;
    private final MapUpdates copies = new MapUpdates();
    private long mergedTo;
    private long dataBlocks;
    private boolean damaged;

    LayerMerge(
            ReplicaDisk disk,
            ReplicaState replica,
            LayerNode node,
            LayerFiles files,
            LayerNode child,
            LayerFiles childFiles) {
        this.disk = disk;
        this.replica = replica;
        this.node = node;
        this.files = files;
        this.child = child;
        this.childFiles = childFiles;
    }

    @Override
    public void begin(Runnable ended) throws IOException {
        long from = node.removal().mergedTo();
        files.retain();
        try {
            childFiles.retain();
        } catch (IOException | RuntimeException e) {
            files.release();
            throw e;
        }
        disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> copyData(from), failure -> {
            if (failure != null || copies.size() == 0) {
                over(failure, ended);
                return;
            }
            childFiles.map().beginUpdate();
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, this::writeMap, writing -> {
                childFiles.map().endUpdate(copies);
                child.countData(dataBlocks);
                disk.resolved().clear();
                over(writing, ended);
            });
        });
    }

    // ------------------------------------------------------------------ worker

    private void copyData(long from) throws IOException {
        long blocks = files.map().blocks();
        long to = Math.min(blocks, from + STEP_BLOCKS);
        boolean[] isTaken = new boolean[(int) (to - from)];
        childFiles.map().walk(from, Math.min(to, childFiles.map().blocks()), 0, (block, entry, crc) -> {
            isTaken[(int) (block - from)] = !SnapshotRemoval.isMerged(entry);
            return true;
        });
        files.map().walk(from, to, 0, (block, entry, crc) -> {
            damaged |= MapEntry.isDamaged(entry);
            if (!MapEntry.isDamaged(entry) && !isTaken[(int) (block - from)]) {
                copies.add(block, entry, crc);
            }
            return true;
        });
        copyRuns();
        mergedTo = to == blocks ? -1 : to;
    }

    private void copyRuns() throws IOException {
        ByteBuffer buffer = AlignedMemory.allocate(RUN_BLOCKS_MAX * BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < copies.size(); ) {
            int end = i + 1;
            while (end < copies.size()
                    && end - i < RUN_BLOCKS_MAX
                    && copies.block(end) == copies.block(end - 1) + 1
                    && MapEntry.isData(copies.entry(end)) == MapEntry.isData(copies.entry(i))) {
                end++;
            }
            if (MapEntry.isData(copies.entry(i))) {
                buffer.clear().limit((end - i) * BLOCK);
                files.read(copies.block(i), buffer);
                childFiles.reserve(copies.block(i), end - i);
                childFiles.write(copies.block(i), buffer.flip());
                dataBlocks += end - i;
            }
            i = end;
        }
        if (copies.size() > 0) {
            sync("data", childFiles::syncData);
        }
    }

    private void writeMap() throws IOException {
        childFiles.map().update(copies, (block, newEntry, presentEntry) -> SnapshotRemoval.isMerged(presentEntry));
        sync("map", childFiles::syncMap);
    }

    private void sync(String what, DiskWorker.Work sync) throws IOException {
        try {
            sync.run();
        } catch (IOException e) {
            throw new SyncFailedException("the " + what + " of " + child, e);
        }
    }

    // ------------------------------------------------------------------ loop

    private void over(@Nullable IOException failure, Runnable ended) {
        files.release();
        childFiles.release();
        if (failure != null) {
            disk.layerChangeFailed("merging of " + node + " of " + replica, failure);
            disk.removal().pause();
        } else if (damaged) {
            // What the damaged entries hide cannot be moved; the layer stays until they are repaired or the replica is
            // rebuilt.
            node.removal().cannotBeMerged();
        } else if (mergedTo < 0) {
            node.removal().mergedTo(0);
            // Everything is overridden now, and the layer empty after the next comparison.
            node.removal().compareAgain();
        } else {
            node.removal().mergedTo(mergedTo);
        }
        ended.run();
    }
}
