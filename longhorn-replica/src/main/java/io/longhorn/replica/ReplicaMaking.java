package io.longhorn.replica;

import io.longhorn.DiskFullException;
import io.longhorn.ErrorCode;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskMeta;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.WireLimits;
import java.io.IOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes an empty replica: takes a slot, makes its files, and writes its metadata last, so that a crash before leaves nothing that counts. */
final class ReplicaMaking implements LayerChanges.Change {

    /** Told on the loop. */
    interface Outcome {
        /** It is there, durably. */
        void done();

        void refused(io.longhorn.LonghornException cause);

        void failed(IOException cause);
    }

    private final ReplicaDisk disk;
    private final UUID clusterId;
    private final Message.CreateReplica wanted;
    private final Outcome outcome;

    ReplicaMaking(ReplicaDisk disk, UUID clusterId, Message.CreateReplica wanted, Outcome outcome) {
        this.disk = disk;
        this.clusterId = clusterId;
        this.wanted = wanted;
        this.outcome = outcome;
    }

    @Override
    public void begin(Runnable ended) {
        try {
            if (isThere()) {
                outcome.done();
                ended.run();
                return;
            }
            requireRoom();
        } catch (io.longhorn.LonghornException e) {
            outcome.refused(e);
            ended.run();
            return;
        }
        try {
            make(ended);
        } catch (IOException e) {
            outcome.failed(e);
            ended.run();
        }
    }

    private boolean isThere() {
        disk.requireCluster(clusterId);
        ReplicaState present = disk.find(wanted.replicaId());
        if (present == null) {
            return false;
        }
        if (!present.meta().volumeId().equals(wanted.volumeId()) || present.sizeBytes() != wanted.sizeBytes()) {
            throw new ReplicaRefusal(
                    ErrorCode.REPLICA_EXISTS,
                    "replica " + wanted.replicaId() + " exists, with " + present.sizeBytes() + " bytes, of volume "
                            + present.meta().volumeId());
        }
        return true;
    }

    private void requireRoom() {
        if (wanted.sizeBytes() <= 0 || wanted.sizeBytes() % FrameLayout.BLOCK_BYTES != 0) {
            throw new ReplicaRefusal(
                    ErrorCode.FIELD_REFUSED,
                    "a replica of " + wanted.sizeBytes() + " bytes, which are no whole blocks");
        }
        if (disk.replicas().size() >= WireLimits.REPLICAS_MAX) {
            throw new ReplicaRefusal(
                    ErrorCode.REPLICA_LIMIT, disk.describe() + " has " + WireLimits.REPLICAS_MAX + " replicas");
        }
        if (disk.space().availableBytes() < FrameLayout.FRAME_BYTES_MAX) {
            throw new DiskFullException(
                    disk.describe(), FrameLayout.FRAME_BYTES_MAX, disk.space().lastAvailableBytes());
        }
    }

    /** Another replica of a volume of this name, there or deleted, may have an id that begins alike. */
    private String freeDirectory() throws IOException {
        String first = ReplicaMeta.DIRECTORY + "/" + ReplicaMeta.directoryName(wanted.volumeName(), wanted.replicaId());
        String path = first;
        for (int i = 2; disk.directory().exists(path); i++) {
            path = first + "-" + i;
        }
        return path;
    }

    private void make(Runnable ended) throws IOException {
        DiskMeta before = disk.meta();
        int slot = before.nextSlot();
        DiskMeta after = before.withClusterId(clusterId).withNextSlot(slot + 1);
        String path = freeDirectory();
        ReplicaMeta meta = ReplicaMeta.create(
                        wanted.replicaId(), slot, wanted.volumeId(), wanted.volumeName(), clusterId, wanted.sizeBytes())
                .change()
                .promised(wanted.epoch(), wanted.engineId(), wanted.recordVersion())
                .build();
        DiskDirectory directory = disk.directory();
        disk.worker()
                .run(
                        DiskWorker.Lane.CHECKPOINT,
                        () -> {
                            after.write(directory);
                            directory.createDirectories(path);
                            directory.syncDirectory(ReplicaMeta.DIRECTORY);
                            LayerFiles.create(directory, path, LayerId.ROOT, meta.sizeBytes());
                            meta.write(directory, path);
                        },
                        failure -> made(after, path, meta, failure, ended));
    }

    private void made(DiskMeta after, String path, ReplicaMeta meta, @Nullable IOException failure, Runnable ended) {
        if (failure == null) {
            disk.made(after, path, meta);
            outcome.done();
        } else {
            outcome.failed(failure);
        }
        ended.run();
    }
}
