package io.longhorn.replica;

import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapUpdates;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Copies of one frame on their way into a layer's files, past the journal: {@link CopyInstallation} takes them there. Loop only but for {@link #write}. */
final class CopiedBlocks {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final int NO_DATA = -1;
    /** The source has lost the bytes; what stands in the file here cannot match the entry, unless it is just what was lost. */
    private static final int LOST_DATA = -2;

    private final RebuildTarget target;
    private final RebuildTarget.Taken taken;
    private final LayerId layerId;
    private final long[] blocks;
    private final long[] entries;
    private final int[] crcs;
    /** Where each block's bytes begin, from {@link #copyAt} on. */
    private final int[] dataAt;

    private final FrameBuffer copy;
    /** Where the bytes begin in it, aligned. */
    private final int copyAt;

    private final long firstBlock;
    private final long lastBlock;
    /** Those that are installed, as indexes into the above, by block. */
    private Integer[] chosen = new Integer[0];

    /** Copies the frame into one of {@code pool}, which is of the disk's loop. */
    CopiedBlocks(RebuildTarget target, ByteBuffer b, int at, FramePool pool, RebuildTarget.Taken taken) {
        this.target = target;
        this.taken = taken;
        layerId = LayerBlocksLayout.layer(b, at);
        int count = LayerBlocksLayout.entryCount(b, at);
        blocks = new long[count];
        entries = new long[count];
        crcs = new int[count];
        dataAt = new int[count];
        int payload = 0;
        for (int i = 0; i < count; i++) {
            blocks[i] = LayerBlocksLayout.block(b, at, i);
            entries[i] = entryOf(b, at, i);
            crcs[i] = LayerBlocksLayout.crc(b, at, i);
            if (LayerBlocksLayout.isDamaged(b, at, i)) {
                dataAt[i] = LOST_DATA;
            } else if (MapEntry.isData(entries[i])) {
                dataAt[i] = payload;
                payload += BLOCK;
            } else {
                dataAt[i] = NO_DATA;
            }
        }
        firstBlock = Arrays.stream(blocks).min().orElse(0);
        lastBlock = Arrays.stream(blocks).max().orElse(-1);
        copy = pool.acquire(payload + DiskFile.ALIGNMENT_BYTES);
        copyAt = (DiskFile.ALIGNMENT_BYTES - copy.bytes().alignmentOffset(0, DiskFile.ALIGNMENT_BYTES))
                % DiskFile.ALIGNMENT_BYTES;
        copy.bytes().put(copyAt, b, at + LayerBlocksLayout.headerLength(count), payload);
    }

    /** A block whose bytes alone are lost has its entry as if they were here: reading it fails the check. */
    private static long entryOf(ByteBuffer b, int at, int index) {
        long sequence = LayerBlocksLayout.sequence(b, at, index);
        if (!LayerBlocksLayout.isDamaged(b, at, index)) {
            return MapEntry.of(LayerBlocksLayout.state(b, at, index), sequence);
        }
        return sequence == 0 ? MapEntry.DAMAGED : MapEntry.of(BlockState.DATA, sequence);
    }

    LayerId layerId() {
        return layerId;
    }

    /** The smallest of its blocks. */
    long firstBlock() {
        return firstBlock;
    }

    /** Whether the blocks of one lie between those of the other. */
    boolean overlaps(CopiedBlocks other) {
        return firstBlock <= other.lastBlock && other.firstBlock <= lastBlock;
    }

    /**
     * Decides which are installed, and adds their entries to {@code updates}: what is newer in the journal, or in the map, stays. Returns how many blocks of data that makes more.
     */
    long choose(LayerNode node, LayerFiles files, MapUpdates updates) throws IOException {
        Integer[] order = new Integer[blocks.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (x, y) -> Long.compare(blocks[x], blocks[y]));
        int count = 0;
        long last = -1;
        long moreDataBlocks = 0;
        for (Integer i : order) {
            long block = blocks[i];
            if (block >= files.map().blocks() || block == last || isJournaled(node, block)) {
                continue;
            }
            long present = files.map().entry(block);
            if (target.isInstalled(entries[i], present)) {
                updates.add(block, storedEntry(i), crcs[i]);
                moreDataBlocks += (MapEntry.isData(entries[i]) ? 1 : 0) - (MapEntry.isData(present) ? 1 : 0);
                order[count++] = i;
                last = block;
            }
        }
        chosen = Arrays.copyOf(order, count);
        return moreDataBlocks;
    }

    private long storedEntry(int index) {
        return MapEntry.isAbsent(entries[index]) ? MapEntry.ABSENT : entries[index];
    }

    /** The journal was emptied when the session began, so whatever is in it is newer than the base. */
    private static boolean isJournaled(LayerNode node, long block) {
        return node.pending().sequenceOf(block) != 0;
    }

    /** Writes the bytes of those chosen. Returns whether they must be stable before their entries are written. Worker. */
    boolean write(LayerFiles files) throws IOException {
        boolean dataFirst = false;
        ByteBuffer data = copy.bytes();
        for (int from = 0; from < chosen.length; ) {
            int to = runEnd(from);
            int first = chosen[from];
            if (dataAt[first] == NO_DATA) {
                files.punch(blocks[first], to - from);
            } else if (dataAt[first] != LOST_DATA) {
                files.writePastCache(
                        blocks[first],
                        data.limit(copyAt + dataAt[first] + (to - from) * BLOCK).position(copyAt + dataAt[first]));
            }
            for (int i = from; i < to; i++) {
                dataFirst |= dataAt[chosen[i]] >= 0 && mayBeTrusted(entries[chosen[i]]);
            }
            from = to;
        }
        return dataFirst;
    }

    /** Behind the last of the chosen blocks that follow the one at {@code from}, with their bytes too if they have any. */
    private int runEnd(int from) {
        int to = from + 1;
        while (to < chosen.length && follows(chosen[to], chosen[to - 1])) {
            to++;
        }
        return to;
    }

    private boolean follows(int index, int before) {
        int wanted = dataAt[before] < 0 ? dataAt[before] : dataAt[before] + BLOCK;
        return blocks[index] == blocks[before] + 1 && dataAt[index] == wanted;
    }

    /** After a crash an entry up to the common point is believed without another copy, so its bytes must be stable before it is. */
    private boolean mayBeTrusted(long entry) {
        return MapEntry.sequence(entry) <= target.commonSequence();
    }

    /** They are installed, or not: gives the memory back and tells. */
    void over(@Nullable IOException failure) {
        copy.bytes().clear();
        copy.release();
        int installed = failure == null ? chosen.length : 0;
        taken.taken(
                new Message.RebuildProgress(target.plan().session(), installed, blocks.length - installed), failure);
    }
}
