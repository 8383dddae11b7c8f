package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.replica.layer.BlockLookup;
import io.longhorn.replica.layer.BlockReader;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers LAYER_READ: blocks of one layer alone with their entries, newer than a sequence, or named one by one. Blocks that the disk does not give back go as damaged
 * entries. Loop only.
 */
final class RebuildSource {
    private static final Logger LOG = LoggerFactory.getLogger(RebuildSource.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final int ENTRIES_MAX = LayerBlocksLayout.ENTRIES_MAX;
    /** Map pages that one answer looks through at most, so that a layer with little in it does not hold up the loop. */
    private static final int PAGES_MAX = 256;

    private static final long END = -1;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final BlockLookup lookup = new BlockLookup();
    /** The entries of the answer that is being put together. */
    private final long[] blocks = new long[ENTRIES_MAX];

    private final long[] entries = new long[ENTRIES_MAX];
    private final int[] crcs = new int[ENTRIES_MAX];
    private final long[] positions = new long[ENTRIES_MAX];
    private int count;
    private int dataBlocks;

    RebuildSource(ReplicaDisk disk, ReplicaState replica) {
        this.disk = disk;
        this.replica = replica;
    }

    FrameBuffer answer(Message.LayerRead wanted, long epoch, long request, FramePool pool) throws IOException {
        LayerNode node = replica.tree.find(wanted.layer());
        if (node == null) {
            throw new ReplicaRefusal(ErrorCode.SNAPSHOT_NOT_FOUND, "there is no layer " + wanted.layer());
        }
        count = 0;
        dataBlocks = 0;
        long next = wanted.blocks().isEmpty() ? walk(node, wanted) : named(node, wanted);
        return frame(node, next, epoch, request, pool);
    }

    private boolean isFull() {
        return count == ENTRIES_MAX || dataBlocks == FrameLayout.BLOCKS_MAX;
    }

    private long walk(LayerNode node, Message.LayerRead wanted) throws IOException {
        long end = Math.min(wanted.toBlock(), replica.sizeBytes() / BLOCK);
        long block = wanted.fromBlock();
        for (int pages = 0; block < end; pages++) {
            if (pages == PAGES_MAX) {
                return block;
            }
            long pageEnd = Math.min(end, (MapPage.pageOf(block) + 1) * MapPage.ENTRIES);
            block = isEmpty(node, block) ? pageEnd : block;
            for (; block < pageEnd; block++) {
                if (lookup.own(node, block) && isWanted(wanted.sinceSequence())) {
                    if (isFull()) {
                        return block;
                    }
                    add(block);
                }
            }
        }
        return END;
    }

    private static boolean isEmpty(LayerNode node, long block) throws IOException {
        LayerFiles files = node.files();
        return node.pending().isEmpty()
                && (files == null
                        || block >= files.map().blocks()
                        || files.map().page(block) == null);
    }

    private boolean isWanted(long since) {
        return lookup.isDamaged() || lookup.sequence() > since;
    }

    /** Exactly these blocks, absent ones too. Where they do not fit one answer, the walk goes on at the first that does not. */
    private long named(LayerNode node, Message.LayerRead wanted) throws IOException {
        for (Long block : wanted.blocks()) {
            if (isFull()) {
                return block;
            }
            if (!lookup.own(node, block)) {
                lookup.nothing();
            }
            add(block);
        }
        return END;
    }

    private void add(long block) {
        blocks[count] = block;
        entries[count] = lookup.entry();
        crcs[count] = lookup.isData() ? lookup.crc() : 0;
        positions[count] = lookup.position();
        count++;
        dataBlocks += lookup.isData() ? 1 : 0;
    }

    private FrameBuffer frame(LayerNode node, long next, long epoch, long request, FramePool pool) {
        int header = LayerBlocksLayout.headerLength(count);
        FrameBuffer frame = pool.acquire(header + dataBlocks * BLOCK);
        ByteBuffer b = frame.bytes();
        try {
            int read = readTogether(node, b, header) ? dataBlocks : readSingly(node, b, header);
            b.clear();
            LayerBlocksLayout.encode(frame, epoch, request, node.id(), next, count, read);
            return frame;
        } catch (RuntimeException e) {
            b.clear();
            frame.release();
            throw e;
        }
    }

    /** Puts all entries, and the bytes of those with data, neighbours with one read; false if the disk does not give them all. */
    private boolean readTogether(LayerNode node, ByteBuffer b, int header) {
        BlockReader reader = disk.reader();
        reader.start(b, header);
        for (int i = 0; i < count; i++) {
            if (MapEntry.isData(entries[i])) {
                lookup.set(node, entries[i], crcs[i], positions[i]);
                reader.add(lookup, blocks[i]);
            }
            putEntry(b, i);
        }
        reader.end();
        return reader.unreadable() == 0;
    }

    private void putEntry(ByteBuffer b, int index) {
        if (MapEntry.isDamaged(entries[index])) {
            LayerBlocksLayout.putDamaged(b, index, blocks[index], 0, 0);
        } else {
            long sequence = MapEntry.sequence(entries[index]);
            LayerBlocksLayout.putEntry(b, index, blocks[index], MapEntry.state(entries[index]), sequence, crcs[index]);
        }
    }

    /** The same where blocks cannot be read: those go as damaged. Returns how many were read. */
    private int readSingly(LayerNode node, ByteBuffer b, int header) {
        int read = 0;
        for (int i = 0; i < count; i++) {
            if (!MapEntry.isData(entries[i])) {
                putEntry(b, i);
            } else if (reads(node, i, b.limit(header + (read + 1) * BLOCK).position(header + read * BLOCK))) {
                putEntry(b, i);
                read++;
            } else {
                LayerBlocksLayout.putDamaged(b, i, blocks[i], MapEntry.sequence(entries[i]), crcs[i]);
            }
        }
        return read;
    }

    /** Fills {@code b} with the block of the entry; false if the disk refuses to. */
    private boolean reads(LayerNode node, int index, ByteBuffer b) {
        try {
            lookup.set(node, entries[index], crcs[index], positions[index]);
            disk.reader().readBlock(lookup, blocks[index], b);
            return true;
        } catch (IOException e) {
            LOG.warn(
                    "block cannot be read: replica={} layer={} block={} cause={}",
                    replica,
                    node.id(),
                    blocks[index],
                    e.toString());
            return false;
        }
    }
}
