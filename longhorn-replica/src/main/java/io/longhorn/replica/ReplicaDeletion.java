package io.longhorn.replica;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Deletes a replica's metadata: without that the rest is nobody's, and its space comes back behind. The replica is no longer hosted. */
final class ReplicaDeletion implements LayerChanges.Change {
    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final DiskWorker.Outcome outcome;

    ReplicaDeletion(ReplicaDisk disk, ReplicaState replica, DiskWorker.Outcome outcome) {
        this.disk = disk;
        this.replica = replica;
        this.outcome = outcome;
    }

    @Override
    public void begin(Runnable ended) {
        replica.keeper.close(() -> {
            try {
                delete(ended);
            } catch (IOException e) {
                deleted(e, ended);
            }
        });
    }

    private void delete(Runnable ended) throws IOException {
        for (LayerNode node : replica.tree.all()) {
            LayerFiles files = node.files();
            if (files != null) {
                files.close();
            }
        }
        DiskDirectory directory = disk.directory();
        String path = replica.directory;
        disk.worker()
                .run(
                        DiskWorker.Lane.CHECKPOINT,
                        () -> {
                            directory.delete(path + "/" + ReplicaMeta.FILE);
                            directory.syncDirectory(path);
                        },
                        failure -> deleted(failure, ended));
    }

    private void deleted(@Nullable IOException failure, Runnable ended) {
        disk.releaseJournal();
        if (failure == null) {
            disk.deleted().add(replica.directory);
        }
        outcome.done(failure);
        ended.run();
    }
}
