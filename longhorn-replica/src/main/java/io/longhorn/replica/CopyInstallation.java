package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.BlockMap;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapUpdates;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes copies that wait into a layer's files, those of several frames at once: each way to the worker and back costs as much as writing a frame. Loop only but for what it has the worker do. */
final class CopyInstallation implements LayerChanges.Change {
    private final RebuildTarget target;
    private final ReplicaState replica;
    private final MapUpdates updates = new MapUpdates();
    private List<CopiedBlocks> copies = List.of();
    private long moreDataBlocks;

    CopyInstallation(RebuildTarget target) {
        this.target = target;
        this.replica = target.replica();
    }

    @Override
    public void begin(Runnable ended) {
        copies = target.takeCopies();
        if (copies.isEmpty()) {
            ended.run();
            return;
        }
        LayerNode node = replica.tree.find(copies.get(0).layerId());
        LayerFiles files = node == null ? null : node.files();
        if (node == null || files == null || target.isCancelled() || replica.isGone()) {
            over(ended, null);
            return;
        }
        try {
            for (CopiedBlocks each : copies) {
                moreDataBlocks += each.choose(node, files, updates);
            }
            if (updates.size() == 0) {
                over(ended, null);
                return;
            }
            files.retain();
        } catch (IOException e) {
            target.disk().layerChangeFailed("copies for " + replica, e);
            over(ended, e);
            return;
        }
        files.map().beginUpdate();
        target.disk().worker().run(DiskWorker.Lane.CHECKPOINT, () -> write(files), failure -> {
            files.map().endUpdate(updates);
            files.release();
            node.countData(moreDataBlocks);
            // Pages of this replica may have been resolved; nobody reads it now, so it is not worth finding out which.
            if (node.isResolved() || replica.tree.head().isResolved()) {
                target.disk().resolved().clear();
            }
            if (failure != null) {
                target.disk().layerChangeFailed("copies for " + replica, failure);
            }
            over(ended, failure);
        });
    }

    /** Worker. */
    private void write(LayerFiles files) throws IOException {
        boolean dataFirst = false;
        for (CopiedBlocks each : copies) {
            dataFirst |= each.write(files);
        }
        if (dataFirst) {
            files.syncData();
        }
        files.map().update(updates, BlockMap.ALWAYS);
    }

    private void over(Runnable ended, @Nullable IOException failure) {
        ended.run();
        copies.forEach(each -> each.over(failure));
    }
}
