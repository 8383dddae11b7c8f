package io.longhorn.replica;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.LayerWork;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.PendingBlocks;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Records and blocks taken at once: bounds the memory of a plan, and how long others wait. Each batch costs three syncs. */
    private static final int RECORDS_MAX = 16384;

    private static final int BLOCKS_MAX = 32768;

    private final ReplicaDisk disk;
    /** Batches that have not begun. */
    private final Map<ReplicaState, Run> queued = new HashMap<>();
    /** What a plan's records left in each block of one layer; used again for every layer and plan. */
    private final PendingBlocks newest = new PendingBlocks();

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
        private Runnable ended = () -> {};

        Run(ReplicaState replica, long target) {
            this.replica = replica;
            this.target = target;
        }

        @Override
        public void begin(Runnable whenEnded) throws IOException {
            queued.remove(replica);
            ended = whenEnded;
            if (!isDue(replica)) {
                ended.run();
                return;
            }
            limit = limitOf(replica);
            makeFiles();
        }

        private void makeFiles() throws IOException {
            NewFiles made = NewFiles.asOf(replica, limit);
            if (made.isEmpty()) {
                copy();
                return;
            }
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, made, failure -> {
                if (failure != null) {
                    failed(failure);
                    return;
                }
                made.use();
                try {
                    copy();
                } catch (IOException e) {
                    failed(e);
                }
            });
        }

        private void copy() throws IOException {
            works.addAll(plan(replica, limit));
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
                    work.dropPending(limit);
                    writeNextMap(index + 1);
                }
            });
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
                replica.checkpointed(limit);
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
        long blocks = 0;
        for (long s = replica.checkpointed() + 1; s <= may; s++) {
            blocks += replica.records.blockCount(s);
            if (blocks > BLOCKS_MAX) {
                return s;
            }
        }
        return may;
    }

    /** What the records up to {@code limit} left in each block of each layer. */
    private List<LayerWork> plan(ReplicaState replica, long limit) throws IOException {
        List<LayerWork> works = new ArrayList<>();
        LayerNode layer = null;
        newest.reset();
        for (long s = replica.checkpointed() + 1; s <= limit; s++) {
            int type = replica.records.type(s);
            boolean data = type == FrameType.WRITE.code();
            if (!data && type != FrameType.WRITE_ZEROES.code() && type != FrameType.DISCARD.code()) {
                continue;
            }
            if (layer == null || !layer.tookRecord(s)) {
                // The records of a layer follow each other: what was gathered is all of it.
                endLayer(replica, layer, works);
                layer = replica.tree.layerOf(s);
            }
            if (layer != null && layer.existedAt(limit)) {
                boolean allocate = (replica.records.flags(s) & FrameLayout.FLAG_ALLOCATE) != 0;
                add(newest, replica.records, s, data, allocate);
            }
        }
        endLayer(replica, layer, works);
        return works;
    }

    private void endLayer(ReplicaState replica, @Nullable LayerNode layer, List<LayerWork> works) throws IOException {
        if (layer != null && !newest.isEmpty()) {
            works.add(work(replica, layer));
            newest.reset();
        }
    }

    private static void add(PendingBlocks blocks, RecordIndex records, long sequence, boolean data, boolean allocate) {
        long first = records.firstBlock(sequence);
        long entry = MapEntry.of(data ? BlockState.DATA : BlockState.ZEROED, sequence);
        for (int i = 0; i < records.blockCount(sequence); i++) {
            blocks.put(first + i, entry, allocate ? 1 : 0, PendingBlocks.NO_POSITION);
        }
    }

    private LayerWork work(ReplicaState replica, LayerNode layer) throws IOException {
        LayerFiles files = layer.files();
        if (files == null) {
            throw new IllegalStateException(layer + " has no files");
        }
        long[] blocks = newest.tableBlocks();
        LayerWork work = new LayerWork(layer, files, blocks.length);
        ByteBuffer crc = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long block : blocks) {
            int slot = newest.find(block);
            long entry = newest.entry(slot);
            if (mayBeOlderThanFile(replica, MapEntry.sequence(entry))
                    && isOlder(entry, files.map().entry(block))) {
                work.addPresent(block, entry);
            } else if (MapEntry.isData(entry)) {
                addData(replica, work, block, entry, crc);
            } else {
                work.addZeroes(block, entry, newest.crc(slot) != 0);
            }
        }
        return work;
    }

    /** Only what a restart read again from the journal may be older than what the layer has already. */
    private static boolean mayBeOlderThanFile(ReplicaState replica, long sequence) {
        return sequence <= replica.recoveredSequence();
    }

    private static boolean isOlder(long entry, long present) {
        return !MapEntry.isDamaged(present) && MapEntry.sequence(entry) < MapEntry.sequence(present);
    }

    private void addData(ReplicaState replica, LayerWork work, long block, long entry, ByteBuffer crc)
            throws IOException {
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
        work.addData(block, entry, crcOf(records, sequence, index, crc), payload + (long) index * BLOCK);
    }

    private int crcOf(RecordIndex records, long sequence, int index, ByteBuffer buffer) throws IOException {
        if (index == 0) {
            return records.firstCrc(sequence);
        }
        disk.journal().read(records.position(sequence) + RecordLayout.TABLE_OFFSET + 4L * index, buffer.clear());
        return buffer.getInt(0);
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
