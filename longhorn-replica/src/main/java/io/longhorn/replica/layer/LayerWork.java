package io.longhorn.replica.layer;

import io.longhorn.replica.disk.SyncFailedException;
import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.wire.AlignedMemory;
import io.longhorn.replica.wire.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a checkpoint moves into one layer: the newest version of each block, in the order of the file. Put together on the loop, carried out on the worker.
 */
public final class LayerWork {
    private static final Logger LOG = LoggerFactory.getLogger(LayerWork.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Blocks that are taken together. */
    private static final int RUN_BLOCKS_MAX = 64;
    /** What a zeroed block wants of the file. */
    private static final long GIVE_BACK = -1;

    private static final long KEEP_ALLOCATED = -2;

    /**
     * Takes what is newer, and counts how many blocks of data that makes more. What records left there already is written again: a process that died of a failed sync may have
     * left it in the memory of the operating system alone. Not so for repairs, which change no entry unless it was lost: nobody expects a torn page because of one.
     */
    private static final class CountingRule implements BlockMap.Rule {
        private final boolean isRepair;
        private long dataBlocks;

        CountingRule(boolean isRepair) {
            this.isRepair = isRepair;
        }

        @Override
        public boolean replaces(long block, long newEntry, long presentEntry) {
            boolean isThere = !isRepair && newEntry == presentEntry;
            boolean replaces = isThere || BlockMap.NEWER.replaces(block, newEntry, presentEntry);
            if (replaces) {
                dataBlocks += (MapEntry.isData(newEntry) ? 1 : 0) - (MapEntry.isData(presentEntry) ? 1 : 0);
            }
            return replaces;
        }
    }

    private final LayerNode layer;
    private final LayerFiles files;
    /** The blocks that are written, and their entries. */
    private final MapUpdates updates;

    private final CountingRule rule;
    /** By the same places: journal position of the bytes, or what to do with the space of a zeroed block. */
    private final long[] positions;

    /** Blocks that the files have in a newer version. */
    private long[] presentBlocks = new long[0];

    private long[] presentEntries = new long[0];
    private int presentSize;
    private int unreadable;
    /** How many of both were dropped from what is pending. */
    private int dropped;

    /** Work for what records brought, at most {@code sizeMax} blocks. */
    public LayerWork(LayerNode layer, LayerFiles files, int sizeMax) {
        this(layer, files, sizeMax, false);
    }

    /** Work for the good copy of a block that failed its check. */
    public static LayerWork ofRepair(LayerNode layer, LayerFiles files) {
        return new LayerWork(layer, files, 1, true);
    }

    private LayerWork(LayerNode layer, LayerFiles files, int sizeMax, boolean isRepair) {
        updates = new MapUpdates(sizeMax);
        positions = new long[sizeMax];
        rule = new CountingRule(isRepair);
        this.layer = layer;
        this.files = files;
    }

    /** Adds a block of data that lies behind the last one added. */
    public void addData(long block, long entry, int crc, long position) {
        add(block, entry, crc, position);
    }

    /** Adds a zeroed block that lies behind the last one added. */
    public void addZeroes(long block, long entry, boolean keepAllocated) {
        add(block, entry, 0, keepAllocated ? KEEP_ALLOCATED : GIVE_BACK);
    }

    /** Notes a block that the files have in a newer version: nothing is written. */
    public void addPresent(long block, long entry) {
        if (presentSize == presentBlocks.length) {
            presentBlocks = Arrays.copyOf(presentBlocks, Math.max(64, 2 * presentSize));
            presentEntries = Arrays.copyOf(presentEntries, presentBlocks.length);
        }
        presentBlocks[presentSize] = block;
        presentEntries[presentSize++] = entry;
    }

    private void add(long block, long entry, int crc, long position) {
        positions[updates.size()] = position;
        updates.add(block, entry, crc);
    }

    /** The layer that the blocks go to. */
    public LayerNode layer() {
        return layer;
    }

    /** Blocks that are written. */
    public int size() {
        return updates.size();
    }

    /** The block at that place, in ascending order. */
    public long block(int index) {
        return updates.block(index);
    }

    long entry(int index) {
        return updates.entry(index);
    }

    // ------------------------------------------------------------------ worker

    /** Copies the blocks from the journal into the layer's data file and makes them stable. */
    public void copyData(Journal journal) throws IOException {
        int size = size();
        if (size == 0) {
            return;
        }
        ByteBuffer buffer =
                AlignedMemory.allocate(Math.min(size, RUN_BLOCKS_MAX) * BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < size; ) {
            int to = runEnd(from);
            if (positions[from] == GIVE_BACK) {
                files.punch(block(from), to - from);
            } else if (positions[from] == KEEP_ALLOCATED) {
                buffer.clear().limit((to - from) * BLOCK);
                zero(buffer);
                files.write(block(from), buffer);
            } else {
                copyRun(journal, from, to, buffer);
            }
            from = to;
        }
        try {
            files.syncData();
        } catch (IOException e) {
            throw new SyncFailedException("the data of " + layer, e);
        }
    }

    /** Behind the last block that can be written together with the one at {@code from}. */
    private int runEnd(int from) {
        int to = from + 1;
        while (to < size()
                && to - from < RUN_BLOCKS_MAX
                && block(to) == block(to - 1) + 1
                && (positions[to] >= 0 ? positions[from] >= 0 : positions[to] == positions[from])) {
            to++;
        }
        return to;
    }

    private static void zero(ByteBuffer buffer) {
        for (int i = 0; i < buffer.limit(); i += Long.BYTES) {
            buffer.putLong(i, 0);
        }
    }

    private void copyRun(Journal journal, int from, int to, ByteBuffer buffer) throws IOException {
        files.reserveWhileFilling(block(from), to - from);
        for (int i = from; i < to; ) {
            int next = positionRunEnd(i, to);
            if (!copy(journal, i, next)) {
                copySingly(journal, i, next, buffer);
            }
            i = next;
        }
    }

    private boolean copy(Journal journal, int from, int to) {
        try {
            files.copyFrom(journal, positions[from], block(from), to - from);
            return true;
        } catch (IOException e) {
            LOG.warn(
                    "blocks cannot be copied at once: layer={} firstBlock={} blocks={} cause={}",
                    layer.id(),
                    block(from),
                    to - from,
                    e.toString());
            return false;
        }
    }

    /** Behind the last block whose bytes follow in the journal. */
    private int positionRunEnd(int from, int to) {
        int end = from + 1;
        while (end < to && positions[end] == positions[end - 1] + BLOCK) {
            end++;
        }
        return end;
    }

    /**
     * Copies each block that can be read. One that cannot keeps its old bytes beside its new checksum: that is damage which the next reader notices and has repaired, and
     * the only copy here of what the peers still have.
     */
    private void copySingly(Journal journal, int from, int to, ByteBuffer buffer) throws IOException {
        for (int i = from; i < to; i++) {
            buffer.clear().limit(BLOCK);
            if (read(journal, i, buffer)) {
                files.write(block(i), buffer.flip());
            } else {
                unreadable++;
            }
        }
    }

    private boolean read(Journal journal, int index, ByteBuffer buffer) {
        try {
            journal.read(positions[index], buffer);
            return true;
        } catch (IOException e) {
            LOG.warn("journal cannot be read: layer={} block={} cause={}", layer.id(), block(index), e.toString());
            return false;
        }
    }

    /** Writes the map entries and makes them stable. Between {@link #beginMap} and {@link #endMap}. */
    public void writeMap() throws IOException {
        files.map().update(updates, rule);
        if (size() > 0) {
            files.noteFilling(rule.dataBlocks, size());
        }
        try {
            files.syncMap();
        } catch (IOException e) {
            throw new SyncFailedException("the map of " + layer, e);
        }
    }

    // ------------------------------------------------------------------ loop

    /** Keeps the layer's files open for the worker, until {@link #release}. */
    public void retain() throws IOException {
        files.retain();
    }

    /** The worker is done. */
    public void release() {
        files.release();
    }

    /** See {@link BlockMap#beginUpdate}. */
    public void beginMap() {
        files.map().beginUpdate();
    }

    /** See {@link BlockMap#endUpdate}; whether the writing succeeded or not. */
    public void endMap() {
        files.map().endUpdate(updates);
    }

    /**
     * The files have all of the layer's records up to {@code limit}: what the journal has of them need not be looked at any more. Drops that of at most {@code blocksMax}
     * further blocks, and returns whether it was the last. A run of zeroes goes together with newer data that hid it, so where there are runs all go at once.
     */
    public boolean dropPending(long limit, int blocksMax) {
        PendingBlocks pending = layer.pending();
        int all = size() + presentSize;
        int end = pending.ranges().size() > 0 ? all : (int) Math.min(all, (long) dropped + blocksMax);
        for (; dropped < end; dropped++) {
            int present = dropped - size();
            long block = present < 0 ? block(dropped) : presentBlocks[present];
            long entry = present < 0 ? updates.entry(dropped) : presentEntries[present];
            pending.removeThrough(block, MapEntry.sequence(entry));
        }
        if (dropped < all) {
            return false;
        }
        pending.ranges().dropThrough(limit);
        layer.countData(rule.dataBlocks);
        return true;
    }

    /** Blocks whose bytes could not be read from the journal. */
    public int unreadable() {
        return unreadable;
    }
}
