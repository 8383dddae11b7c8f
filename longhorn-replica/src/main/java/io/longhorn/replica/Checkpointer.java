package io.longhorn.replica;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.LayerWork;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.PendingBlocks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Moves committed and durable records from the journal into layers. The order makes a crash at any point harmless: files of new layers; block data, sync; map pages, each to
 * the copy that is not the valid one, sync; from here on reads find the blocks there. Then the metadata, with the layers and the checkpointed sequence, durably; only then do
 * segments go. Until the metadata is durable a restart reads all of it from the journal again, and does nothing twice: an entry is only replaced by a newer one. Loop only;
 * what touches files runs on the worker.
 */
final class Checkpointer {
    /**
     * Records taken at once. Each batch costs three syncs; the more scattered blocks go together, the fewer of them were overwritten in vain, and the more lie beside each
     * other.
     */
    private static final int RECORDS_MAX = 65536;
    /** Blocks behind the first of their record taken at once. They lie together anyway, and the journal's space comes back sooner. */
    private static final int FURTHER_BLOCKS_MAX = 16384;

    private final ReplicaDisk disk;
    /** Batches that have not begun. */
    private final Map<ReplicaState, Run> queued = new HashMap<>();
    /** Room for plans, of which there is one at a time. */
    private final PendingBlocks planned = new PendingBlocks();

    Checkpointer(ReplicaDisk disk) {
        this.disk = disk;
    }

    /** Has everything be moved that may be moved now. What may be moved later waits until it is worth a batch. */
    void request(ReplicaState replica) {
        if (isDue(replica)) {
            request(replica, replica.checkpointLimit());
        }
    }

    private void request(ReplicaState replica, long target) {
        Run present = queued.get(replica);
        if (present != null) {
            present.target = Math.max(present.target, target);
            return;
        }
        Run run = new Run(replica, target);
        queued.put(replica, run);
        disk.changes().add(run);
    }

    private boolean isDue(ReplicaState replica) {
        return !replica.isGone()
                && !replica.isParked()
                && !disk.hasFailed()
                && (replica.checkpointLimit() > replica.checkpointed()
                        || replica.repairs.hasDurable(disk.journal().durablePosition())
                        || replica.isAheadOfMetadata());
    }

    /** One batch of one replica. */
    private final class Run implements LayerChanges.Change {
        private final ReplicaState replica;
        private final List<LayerWork> works = new ArrayList<>();
        private final List<PendingRepairs.Repair> repaired = new ArrayList<>();
        /** What was asked for; the batch may end before, and others go on. */
        private long target;

        private long limit;
        private long begunNanos;
        private long movedBytes;
        private Runnable ended = () -> {};

        Run(ReplicaState replica, long target) {
            this.replica = replica;
            this.target = target;
        }

        @Override
        public void begin(Runnable whenEnded) {
            queued.remove(replica);
            ended = whenEnded;
            if (!isDue(replica)) {
                ended.run();
                return;
            }
            limit = limitOf(replica);
            begunNanos = disk.loop().nanoTime();
            makeFiles();
        }

        private void makeFiles() {
            NewFiles made = NewFiles.asOf(replica, limit);
            if (made.isEmpty()) {
                plan();
                return;
            }
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, made, failure -> {
                if (failure != null) {
                    failed(failure);
                    return;
                }
                made.use();
                plan();
            });
        }

        private void plan() {
            CheckpointPlan plan = new CheckpointPlan(disk, replica, limit, planned);
            plan.make(failure -> {
                if (failure != null) {
                    failed(failure);
                    return;
                }
                works.addAll(plan.works());
                try {
                    copy();
                } catch (IOException e) {
                    failed(e);
                }
            });
        }

        private void copy() throws IOException {
            addRepairs();
            int retained = 0;
            try {
                for (LayerWork work : works) {
                    work.retain();
                    retained++;
                }
            } catch (IOException | RuntimeException e) {
                works.subList(0, retained).forEach(LayerWork::release);
                throw e;
            }
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, this::copyData, this::copied);
        }

        private void addRepairs() {
            // Repairs have work of their own: their blocks may also be in the plan of the same layer.
            for (PendingRepairs.Repair repair :
                    replica.repairs.durableThrough(disk.journal().durablePosition())) {
                LayerFiles files = repair.layer().files();
                if (files != null && isStillPending(repair)) {
                    LayerWork work = LayerWork.ofRepair(repair.layer(), files);
                    work.addData(repair.block(), repair.entry(), repair.crc(), repair.position());
                    works.add(work);
                }
                repaired.add(repair);
            }
        }

        /** Something newer may have taken the block's place, or will. */
        private boolean isStillPending(PendingRepairs.Repair repair) {
            PendingBlocks pending = repair.layer().pending();
            int slot = pending.find(repair.block());
            return slot != PendingBlocks.NONE && pending.position(slot) == repair.position();
        }

        private void copyData() throws IOException {
            for (LayerWork work : works) {
                work.copyData(disk.journal());
            }
        }

        private void copied(@Nullable IOException failure) {
            if (failure != null) {
                works.forEach(LayerWork::release);
                failed(failure);
                return;
            }
            writeNextMap(0);
        }

        /** One map after another: a layer may have two works, and a map takes one update at a time. */
        private void writeNextMap(int index) {
            if (index == works.size()) {
                mapsWritten();
                return;
            }
            LayerWork work = works.get(index);
            work.beginMap();
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, work::writeMap, failure -> {
                work.endMap();
                if (failure != null) {
                    works.forEach(LayerWork::release);
                    failed(failure);
                } else {
                    forgetResolved(replica, work);
                    dropPending(index);
                }
            });
        }

        private void dropPending(int index) {
            if (works.get(index).dropPending(limit, disk.settings().checkpointPieceBlocks())) {
                writeNextMap(index + 1);
            } else {
                disk.loop().schedule(0, () -> dropPending(index));
            }
        }

        private void mapsWritten() {
            for (LayerWork work : works) {
                work.release();
                replica.unreadableBlocks += work.unreadable();
            }
            for (PendingRepairs.Repair repair : repaired) {
                replica.repairs.remove(repair);
                replica.damage.repaired(repair.layer().id(), repair.block());
            }
            if (limit > replica.checkpointed() || replica.isAheadOfMetadata()) {
                movedBytes = replica.checkpointed(limit);
                replica.tree.all().forEach(layer -> layer.checkpointed(limit));
                replica.keeper.change(replica.metaAsOf(limit));
                replica.keeper.store(false, this::stored);
            } else {
                over();
            }
        }

        private void stored(@Nullable IOException failure) {
            disk.metadataStored(failure);
            replica.tree.forgetBefore(replica.keeper.stored().checkpointedSequence());
            if (failure != null) {
                // Tried again when the disk is quiet, not at once.
                ended.run();
            } else {
                over();
            }
        }

        private void over() {
            disk.space().moved(movedBytes, disk.loop().nanoTime() - begunNanos);
            disk.checkpointEnded(replica, works);
            if (replica.isCheckpointAwaited() || disk.isCheckpointDue()) {
                request(replica);
            } else if (limit < target && isDue(replica)) {
                request(replica, target);
            }
            ended.run();
        }

        private void failed(IOException cause) {
            disk.layerChangeFailed("checkpoint of " + replica, cause);
            ended.run();
        }
    }

    /** How far one batch goes: as far as it may, but not beyond its bounds. */
    private static long limitOf(ReplicaState replica) {
        long may = Math.min(replica.checkpointLimit(), replica.checkpointed() + RECORDS_MAX);
        long furtherBlocks = 0;
        for (long s = replica.checkpointed() + 1; s <= may; s++) {
            furtherBlocks += Math.max(0, replica.records.blockCount(s) - 1);
            if (furtherBlocks > FURTHER_BLOCKS_MAX) {
                return s;
            }
        }
        return may;
    }

    /** What the maps say of these blocks together has changed. */
    private void forgetResolved(ReplicaState replica, LayerWork work) {
        for (LayerNode top : replica.tree.all()) {
            long last = -1;
            for (int i = 0; top.isResolved() && i < work.size(); i++) {
                long page = MapPage.pageOf(work.block(i));
                if (page != last) {
                    disk.resolved().remove(top, page);
                    last = page;
                }
            }
        }
    }

    /** Files that must be there before a checkpoint up to some sequence can be stored: those of new layers, and larger ones after an expansion. */
    private static final class NewFiles implements DiskWorker.Work {
        private record Sized(LayerNode node, long sizeBytes) {}

        private final ReplicaState replica;
        private final List<Sized> made = new ArrayList<>();
        private final List<Sized> expanded = new ArrayList<>();

        private NewFiles(ReplicaState replica) {
            this.replica = replica;
        }

        static NewFiles asOf(ReplicaState replica, long limit) {
            NewFiles files = new NewFiles(replica);
            for (LayerNode node : replica.tree.all()) {
                if (node.existedAt(limit)) {
                    long size = node.wasFrozenAt(limit) ? node.sizeBytes() : replica.tree.sizeAsOf(limit);
                    if (node.files() == null) {
                        files.made.add(new Sized(node, size));
                    } else if (node.filesSizeBytes() < size) {
                        files.expanded.add(new Sized(node, size));
                    }
                }
            }
            return files;
        }

        boolean isEmpty() {
            return made.isEmpty() && expanded.isEmpty();
        }

        /** Worker. */
        @Override
        public void run() throws IOException {
            DiskDirectory directory = replica.disk.directory();
            for (Sized sized : made) {
                LayerFiles.create(directory, replica.directory, sized.node().id(), sized.sizeBytes());
            }
            for (Sized sized : expanded) {
                LayerFiles.expand(directory, replica.directory, sized.node().id(), sized.sizeBytes());
            }
        }

        /** Loop, when they are there. */
        void use() {
            for (Sized sized : made) {
                LayerNode node = sized.node();
                node.filesMade(
                        replica.disk.layerFiles(replica.directory, replica.replicaId(), node.id(), sized.sizeBytes()),
                        sized.sizeBytes());
            }
            for (Sized sized : expanded) {
                sized.node().filesExpanded(sized.sizeBytes());
            }
        }
    }
}
