package io.longhorn.replica.server;

import io.longhorn.replica.DiskFile;
import io.longhorn.replica.DiskWorker;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back the space of layers that nobody can name any more: heads dropped by a revert, deleted snapshots. A layer without children goes whole; one with a
 * single child gives up the blocks that the child overrides in its durable map; the rest stays where it is, as a residual layer. No data is
 * copied. Runs after a checkpoint, so that what it decides on is durable. Loop only.
 */
final class SnapshotRemoval {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotRemoval.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final ReplicaDisk disk;

    SnapshotRemoval(ReplicaDisk disk) {
        this.disk = disk;
    }

    /** Looks through the replica's layers for something to give back. */
    void run(ReplicaState replica) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (LayerNode node : replica.tree.all()) {
                if (mayGo(replica, node) && replica.tree.children(node).isEmpty()) {
                    drop(replica, node);
                    changed = true;
                }
            }
        }
        for (LayerNode node : replica.tree.all()) {
            List<LayerNode> children = replica.tree.children(node);
            if (mayGo(replica, node) && children.size() == 1 && !node.punchedFor(children.get(0))) {
                punch(replica, node, children.get(0));
            }
        }
    }

    /** Rule: an operation has its physical effect once it is committed and every earlier record of the layer is checkpointed. */
    private static boolean mayGo(ReplicaState replica, LayerNode node) {
        long since = node.droppedSequence != 0 ? node.droppedSequence : node.removedSequence;
        return since != 0 && since <= replica.checkpointed() && !replica.pins.holds(node.id) && !node.files.isBusy();
    }

    private void drop(ReplicaState replica, LayerNode node) {
        replica.tree.remove(node);
        try {
            node.files.delete();
        } catch (IOException e) {
            LOG.warn("layer could not be deleted: disk={} layer={} cause={}", disk.describe(), node.id, e.toString());
        }
        disk.store(replica, replica.metaAsOf(replica.checkpointed()), stored -> {});
    }

    private void punch(ReplicaState replica, LayerNode node, LayerNode child) {
        try {
            List<long[]> runs = overridden(replica, node, child);
            node.markPunchedFor(child);
            if (runs.isEmpty()) {
                return;
            }
            DiskFile data = node.files.dataFile();
            DiskFile map = node.files.mapFileForWork();
            List<MapPage.Image> images = forget(node, runs);
            node.files.retain();
            disk.worker()
                    .run(
                            DiskWorker.Lane.CHECKPOINT,
                            () -> {
                                for (MapPage.Image image : images) {
                                    map.write(image.fileOffset(), image.bytes());
                                }
                                map.sync();
                                for (long[] run : runs) {
                                    data.punch(run[0] * BLOCK, run[1] * BLOCK);
                                }
                            },
                            failure -> {
                                node.files.release();
                                if (failure != null) {
                                    disk.failed(failure);
                                }
                            });
        } catch (IOException e) {
            LOG.warn("layer could not be punched: disk={} layer={} cause={}", disk.describe(), node.id, e.toString());
        }
    }

    /** Runs of blocks {first, count} that the node holds and the child's files override. */
    private static List<long[]> overridden(ReplicaState replica, LayerNode node, LayerNode child) throws IOException {
        List<long[]> runs = new ArrayList<>();
        for (long number = 0; number < node.files.pageEnd(); number++) {
            MapPage page = node.files.page(number);
            if (page == null || page.present() == 0) {
                continue;
            }
            for (int i = 0; i < MapPage.ENTRIES; i++) {
                long block = number * MapPage.ENTRIES + i;
                if (page.state(i) != BlockState.ABSENT && isDurablyOverridden(replica, child, block)) {
                    long[] last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
                    if (last != null && last[0] + last[1] == block) {
                        last[1]++;
                    } else {
                        runs.add(new long[] {block, 1});
                    }
                }
            }
        }
        return runs;
    }

    /** Rule: a block goes only when the child's durable map overrides it; a journaled write does not count. */
    private static boolean isDurablyOverridden(ReplicaState replica, LayerNode child, long block) throws IOException {
        BlockLookup lookup = replica.lookup;
        return lookup.inFiles(child, block) && lookup.sequence <= replica.checkpointed();
    }

    private static List<MapPage.Image> forget(LayerNode node, List<long[]> runs) throws IOException {
        for (long[] run : runs) {
            for (long block = run[0]; block < run[0] + run[1]; block++) {
                MapPage page = node.files.pageForChange(LayerFiles.pageOf(block));
                int index = LayerFiles.indexOf(block);
                node.dataBlocks -= page.state(index) == BlockState.DATA ? 1 : 0;
                page.set(index, BlockState.ABSENT, 0, 0);
            }
        }
        return node.files.dirtyImages();
    }
}
