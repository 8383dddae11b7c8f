package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes a layer out of a replica and deletes its files: first the metadata, durably, then the files. A crash between leaves files that the next start deletes. */
final class LayerDrop implements LayerChanges.Change {
    private static final Logger LOG = LoggerFactory.getLogger(LayerDrop.class);

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final LayerNode node;

    LayerDrop(ReplicaDisk disk, ReplicaState replica, LayerNode node) {
        this.disk = disk;
        this.replica = replica;
        this.node = node;
    }

    boolean isOf(ReplicaState other) {
        return replica == other;
    }

    /** The replica is gone, or a rebuild brought the layer back. */
    boolean isPointless() {
        LayerNode present = replica.tree.find(node.id());
        return replica.isGone() || (present != null && present != node);
    }

    @Override
    public void begin(Runnable ended) {
        disk.removal().taken(this);
        if (isPointless()) {
            ended.run();
            return;
        }
        replica.tree.remove(node);
        disk.resolved().clear();
        replica.keeper.change(replica.metaAsOf(replica.checkpointed()));
        replica.keeper.store(false, failure -> {
            if (failure != null) {
                disk.removal().tryAgain(this);
                ended.run();
            } else {
                deleteFiles(ended);
            }
        });
    }

    private void deleteFiles(Runnable ended) {
        LayerFiles files = node.files();
        if (files == null) {
            ended.run();
            return;
        }
        try {
            files.close();
        } catch (IOException e) {
            LOG.warn("layer could not be closed: disk={} layer={} cause={}", disk.describe(), node.id(), e.toString());
        }
        disk.worker()
                .run(
                        DiskWorker.Lane.CHECKPOINT,
                        () -> {
                            LayerFiles.delete(disk.directory(), replica.directory, node.id());
                            disk.directory().syncDirectory(replica.directory);
                        },
                        failure -> deleted(failure, ended));
    }

    private void deleted(@Nullable IOException failure, Runnable ended) {
        if (failure != null) {
            // The next start deletes what is no longer listed.
            LOG.warn("layer could not be deleted: disk={} layer={}", disk.describe(), node.id(), failure);
        } else {
            LOG.debug("layer deleted: replica={} layer={}", replica, node.id());
        }
        ended.run();
    }
}
