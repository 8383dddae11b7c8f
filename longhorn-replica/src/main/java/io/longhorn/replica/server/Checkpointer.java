package io.longhorn.replica.server;

import io.longhorn.replica.DiskFile;
import io.longhorn.replica.DiskWorker;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves committed and durable records from the journal into layers, one replica at a time, and lets the journal's segments go. The order is what makes a
 * crash at any point harmless: block data, sync, map pages (each to the slot that does not hold its valid version), sync, metadata with the new checkpointed
 * sequence; only then are pending entries and segments dropped. Until then the journal brings everything back. Loop only; the copying runs on the
 * disk's worker.
 */
final class Checkpointer {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Records taken at once: bounds the plan's memory and the time until segments come free. */
    private static final int RECORDS_MAX = 8192;

    private static final int RUN_BLOCKS_MAX = 64;

    private final ReplicaDisk disk;
    private final ArrayDeque<ReplicaState> waiting = new ArrayDeque<>();
    private @Nullable ReplicaState running;

    Checkpointer(ReplicaDisk disk) {
        this.disk = disk;
    }

    boolean isIdle() {
        return running == null && waiting.isEmpty();
    }

    /** Has everything that may be moved be moved, for all these replicas. */
    void request(Collection<ReplicaState> replicas) {
        for (ReplicaState replica : replicas) {
            request(replica);
        }
    }

    void request(ReplicaState replica) {
        if (replica.checkpointLimit() > replica.checkpointed() && !replica.checkpointing) {
            replica.checkpointing = true;
            waiting.add(replica);
        }
        next();
    }

    private void next() {
        if (running != null || disk.hasFailed()) {
            return;
        }
        ReplicaState replica = waiting.poll();
        if (replica == null) {
            disk.checkpointsDone();
            return;
        }
        running = replica;
        try {
            start(replica);
        } catch (IOException e) {
            ended(replica, e);
        }
    }

    /** One block's newest version up to the limit. {@code position} is where its bytes stand in the journal. */
    private static final class Copy {
        final LayerNode layer;
        final long block;
        long sequence;
        int crc;
        BlockState state = BlockState.DATA;
        long position;

        Copy(LayerNode layer, long block) {
            this.layer = layer;
            this.block = block;
        }
    }

    private void start(ReplicaState replica) throws IOException {
        long limit = Math.min(replica.checkpointLimit(), replica.checkpointed() + RECORDS_MAX);
        List<Copy> copies = plan(replica, limit);
        Map<LayerNode, List<Copy>> byLayer = new HashMap<>();
        for (Copy copy : copies) {
            byLayer.computeIfAbsent(copy.layer, l -> new ArrayList<>()).add(copy);
        }
        List<LayerWork> work = new ArrayList<>();
        for (Map.Entry<LayerNode, List<Copy>> entry : byLayer.entrySet()) {
            entry.getValue().sort((a, b) -> Long.compare(a.block, b.block));
            work.add(new LayerWork(entry.getKey(), entry.getValue()));
        }
        disk.worker()
                .run(
                        DiskWorker.Lane.CHECKPOINT,
                        () -> {
                            ByteBuffer buffer = ByteBuffer.allocateDirect(RUN_BLOCKS_MAX * BLOCK)
                                    .order(ByteOrder.LITTLE_ENDIAN);
                            for (LayerWork each : work) {
                                each.copyData(buffer);
                            }
                        },
                        failure -> dataWritten(replica, limit, work, failure));
    }

    /** What the records up to {@code limit} left in each block. */
    private List<Copy> plan(ReplicaState replica, long limit) throws IOException {
        List<Copy> copies = new ArrayList<>();
        Map<Long, Copy> older = new HashMap<>();
        LayerNode layer = null;
        for (long s = replica.checkpointed() + 1; s <= limit; s++) {
            int type = replica.records.type(s);
            boolean data = type == FrameType.WRITE.code();
            if (!data && type != FrameType.DISCARD.code() && type != FrameType.WRITE_ZEROES.code()) {
                continue;
            }
            if (layer == null || !layer.covers(s) || layer.droppedSequence != 0) {
                layer = replica.tree.layerOf(s);
            }
            if (layer == null) {
                continue;
            }
            long first = replica.records.firstBlock(s);
            for (int i = 0; i < replica.records.blockCount(s); i++) {
                int slot = layer.pending.find(first + i);
                long newest = slot < 0 ? 0 : layer.pending.sequence(slot);
                if (newest == s) {
                    Copy copy = new Copy(layer, first + i);
                    copy.sequence = s;
                    copy.crc = layer.pending.crc(slot);
                    copy.state = layer.pending.state(slot);
                    copy.position = layer.pending.position(slot);
                    copies.add(copy);
                } else if (newest > limit) {
                    LayerNode in = layer;
                    // A newer version is not committed yet: this one is found through its record, and may be replaced
                    // by a later one.
                    Copy copy = older.computeIfAbsent(first + i, block -> new Copy(in, block));
                    fillFromRecord(replica, copy, s, i, data);
                }
            }
        }
        copies.addAll(older.values());
        return copies;
    }

    private void fillFromRecord(ReplicaState replica, Copy copy, long sequence, int index, boolean data)
            throws IOException {
        copy.sequence = sequence;
        copy.state = data ? BlockState.DATA : BlockState.ZEROED;
        if (data) {
            long position = replica.records.position(sequence);
            int blocks = replica.records.blockCount(sequence);
            copy.position = position + RecordLayout.writeHeaderLength(blocks) + (long) index * BLOCK;
            ByteBuffer crc = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
            disk.readJournal(position + RecordLayout.TABLE_OFFSET + 4L * index, crc);
            copy.crc = crc.getInt(0);
        } else {
            copy.crc = Checksum.ZERO_BLOCK;
        }
    }

    /** The copying of one layer's blocks; made on the loop, run on the worker. */
    private final class LayerWork {
        final LayerNode layer;
        final List<Copy> copies;
        private final DiskFile data;
        private final DiskFile[] sources;
        private final long[] offsets;

        LayerWork(LayerNode layer, List<Copy> copies) throws IOException {
            this.layer = layer;
            this.copies = copies;
            this.data = layer.files.dataFile();
            this.sources = new DiskFile[copies.size()];
            this.offsets = new long[copies.size()];
            layer.files.retain();
            for (int i = 0; i < copies.size(); i++) {
                Copy copy = copies.get(i);
                if (copy.state == BlockState.DATA) {
                    sources[i] = disk.journalFile(copy.position);
                    offsets[i] = disk.journalOffset(copy.position);
                }
            }
        }

        void copyData(ByteBuffer buffer) throws IOException {
            int i = 0;
            while (i < copies.size()) {
                int end = runEnd(i);
                Copy first = copies.get(i);
                if (first.state == BlockState.DATA) {
                    buffer.clear();
                    for (int j = i; j < end; j++) {
                        buffer.limit((j - i + 1) * BLOCK).position((j - i) * BLOCK);
                        sources[j].read(offsets[j], buffer);
                    }
                    data.write(first.block * BLOCK, buffer.flip());
                } else {
                    data.punch(first.block * BLOCK, (long) (end - i) * BLOCK);
                }
                i = end;
            }
            sync(data, "layer " + layer.id);
        }

        private int runEnd(int from) {
            int end = from + 1;
            while (end < copies.size()
                    && end - from < RUN_BLOCKS_MAX
                    && copies.get(end).block == copies.get(end - 1).block + 1
                    && (copies.get(end).state == BlockState.DATA) == (copies.get(from).state == BlockState.DATA)) {
                end++;
            }
            return end;
        }
    }

    private static void sync(DiskFile file, String what) throws IOException {
        try {
            file.sync();
        } catch (IOException e) {
            throw new SyncFailedException(what, e);
        }
    }

    private void dataWritten(ReplicaState replica, long limit, List<LayerWork> work, @Nullable IOException failure) {
        if (failure != null) {
            work.forEach(w -> w.layer.files.release());
            ended(replica, failure);
            return;
        }
        try {
            List<MapWork> maps = new ArrayList<>();
            for (LayerWork each : work) {
                updateMap(each);
                maps.add(new MapWork(each.layer.files.mapFileForWork(), each.layer.files.dirtyImages()));
            }
            disk.worker()
                    .run(
                            DiskWorker.Lane.CHECKPOINT,
                            () -> {
                                for (MapWork map : maps) {
                                    map.write();
                                }
                            },
                            outcome -> mapWritten(replica, limit, work, outcome));
        } catch (IOException e) {
            work.forEach(w -> w.layer.files.release());
            ended(replica, e);
        }
    }

    private record MapWork(DiskFile file, List<MapPage.Image> images) {
        void write() throws IOException {
            for (MapPage.Image image : images) {
                file.write(image.fileOffset(), image.bytes());
            }
            sync(file, "block map");
        }
    }

    private static void updateMap(LayerWork work) throws IOException {
        for (Copy copy : work.copies) {
            MapPage page = work.layer.files.pageForChange(LayerFiles.pageOf(copy.block));
            int index = LayerFiles.indexOf(copy.block);
            if (page.sequence(index) < copy.sequence) {
                work.layer.dataBlocks +=
                        (copy.state == BlockState.DATA ? 1 : 0) - (page.state(index) == BlockState.DATA ? 1 : 0);
                page.set(index, copy.state, copy.sequence, copy.crc);
            }
        }
    }

    private void mapWritten(ReplicaState replica, long limit, List<LayerWork> work, @Nullable IOException failure) {
        work.forEach(w -> w.layer.files.release());
        if (failure != null) {
            // The pages in memory are ahead of the disk and marked as written: nothing further may be built on them.
            disk.failed(failure);
            return;
        }
        for (LayerWork each : work) {
            for (Copy copy : each.copies) {
                each.layer.pending.removeIf(copy.block, copy.sequence);
            }
        }
        replica.checkpointed(limit);
        disk.store(replica, replica.metaAsOf(limit), stored -> {
            disk.releaseJournal();
            disk.removal().run(replica);
            ended(replica, null);
        });
    }

    private void ended(ReplicaState replica, @Nullable IOException failure) {
        running = null;
        replica.checkpointing = false;
        if (failure instanceof SyncFailedException) {
            disk.failed(failure);
            return;
        }
        if (failure != null) {
            LOG.warn("checkpoint failed, tried again later: disk={} cause={}", disk.describe(), failure.toString());
            disk.checkpointFailed();
        } else if (replica.checkpointLimit() - replica.checkpointed() >= RECORDS_MAX) {
            request(replica);
        }
        next();
    }

    /** The replica is going: nothing of it is started any more. */
    void forget(ReplicaState replica) {
        Set<ReplicaState> rest = new LinkedHashSet<>(waiting);
        rest.remove(replica);
        waiting.clear();
        waiting.addAll(rest);
    }
}
