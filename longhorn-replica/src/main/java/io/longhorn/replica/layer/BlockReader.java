package io.longhorn.replica.layer;

import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.wire.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds and reads blocks as a layer shows them with its parents beneath it: of each block the newest layer that says anything decides, and in a layer the journal before the
 * map. Neighbouring blocks that stand behind one another in one file are fetched by one read. Used again and again. Loop only.
 */
public final class BlockReader {
    /** Everything was read. */
    public static final long ALL_GOOD = -1;

    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** On more layers than this a read goes through the resolved pages. */
    private static final int DIRECT_LAYERS_MAX = 3;

    private final Journal journal;
    private final ResolvedPages resolved;
    private final BlockLookup lookup = new BlockLookup();
    /** Layers with journaled blocks, newest first. */
    private @Nullable LayerNode[] journaled = new @Nullable LayerNode[4];

    private int journaledCount;
    private @Nullable LayerNode top;
    private boolean deep;

    private ByteBuffer target = ByteBuffer.allocate(0);
    private int targetAt;
    private int runBlocks;
    private boolean runZero;
    private @Nullable LayerNode runLayer;
    private long runFrom;
    private boolean allZero;
    private int unreadable;

    /** @param resolved for what stands on many layers */
    public BlockReader(Journal journal, ResolvedPages resolved) {
        this.journal = journal;
        this.resolved = resolved;
    }

    /** From now on questions are about {@code from}, or about nothing but zeroes if it is null. Until the tree changes. */
    public void look(@Nullable LayerNode from) {
        top = from;
        journaledCount = 0;
        int mapped = 0;
        for (LayerNode node = from; node != null; node = node.parent()) {
            if (!node.pending().isEmpty()) {
                if (journaledCount == journaled.length) {
                    journaled = Arrays.copyOf(journaled, 2 * journaledCount);
                }
                journaled[journaledCount++] = node;
            }
            mapped += node.files() == null ? 0 : 1;
        }
        deep = mapped > DIRECT_LAYERS_MAX;
    }

    /** The block as the layer of {@link #look} shows it. Valid until the next question. */
    public BlockLookup find(long block) throws IOException {
        LayerNode from = top;
        if (from != null && deep) {
            findDeep(from, block);
        } else {
            findDirect(from, block);
        }
        return lookup;
    }

    private void findDirect(@Nullable LayerNode from, long block) throws IOException {
        for (LayerNode node = from; node != null; node = node.parent()) {
            if (lookup.own(node, block)) {
                return;
            }
        }
        lookup.nothing();
    }

    private void findDeep(LayerNode from, long block) throws IOException {
        ResolvedPages.Page page = resolved.page(from, MapPage.pageOf(block));
        int index = MapPage.indexOf(block);
        LayerNode decides = page.layer(index);
        for (int i = 0; i < journaledCount; i++) {
            LayerNode node = journaled[i];
            if (node == null || (decides != null && decides.id().compareTo(node.id()) > 0)) {
                break;
            }
            if (lookup.journaled(node, block)) {
                return;
            }
        }
        lookup.set(decides, page.entry(index), page.crc(index), PendingBlocks.NO_POSITION);
    }

    /**
     * Fills {@code blocks} blocks of {@code from} into {@code into} at {@code dataAt}, and their stored CRCs at {@code tableAt}. A block that the disk does not give is
     * filled with zeroes, which do not match its CRC unless they are right.
     *
     * @return {@link #ALL_GOOD}, or the number of a block whose map is damaged
     */
    public long read(@Nullable LayerNode from, long first, int blocks, ByteBuffer into, int tableAt, int dataAt)
            throws IOException {
        look(from);
        start(into, dataAt);
        for (int i = 0; i < blocks; i++) {
            BlockLookup found = find(first + i);
            if (found.isDamaged()) {
                return first + i;
            }
            into.putInt(tableAt + 4 * i, found.storedCrc());
            add(found, first + i);
        }
        end();
        return ALL_GOOD;
    }

    /** Blocks that the disk did not give, of the last {@link #read} or since {@link #start}. */
    public int unreadable() {
        return unreadable;
    }

    /** Whether the last {@link #read} met no data at all. */
    public boolean wasAllZero() {
        return allZero;
    }

    /** From now on {@link #add} collects blocks whose bytes go into {@code into} one behind the other, from {@code dataAt} on. */
    public void start(ByteBuffer into, int dataAt) {
        target = into;
        targetAt = dataAt;
        runBlocks = 0;
        allZero = true;
        unreadable = 0;
    }

    /** Adds a block that was found here or elsewhere; read at once or with its neighbours, at the latest in {@link #end}. One without data takes a block of zeroes. */
    public void add(BlockLookup found, long block) {
        boolean zero = !found.isData();
        LayerNode file = zero || found.isJournaled() ? null : found.layer();
        long from = found.isJournaled() ? found.position() : block * BLOCK;
        boolean goesOn = runBlocks > 0
                && runZero == zero
                && (zero || (runLayer == file && runFrom + (long) runBlocks * BLOCK == from));
        if (!goesOn) {
            endRun();
            runZero = zero;
            runLayer = file;
            runFrom = from;
        }
        runBlocks++;
        allZero &= zero;
    }

    /** Reads what was added and not read yet; {@link #unreadable} tells of all since {@link #start}. */
    public void end() {
        endRun();
    }

    /** Reads one block's bytes to where {@code into} stands. */
    public void readBlock(BlockLookup found, long block, ByteBuffer into) throws IOException {
        LayerNode node = found.layer();
        if (found.isJournaled()) {
            journal.read(found.position(), into);
        } else if (node != null) {
            filesOf(node).read(block, into);
        }
    }

    private static LayerFiles filesOf(LayerNode node) {
        LayerFiles files = node.files();
        if (files == null) {
            throw new IllegalStateException(node + " has no files");
        }
        return files;
    }

    private void endRun() {
        int length = runBlocks * BLOCK;
        if (runBlocks == 0) {
            return;
        }
        if (runZero) {
            zero(targetAt, length);
        } else if (!reads(targetAt, length, runFrom)) {
            readOneByOne(length);
        }
        targetAt += length;
        runBlocks = 0;
    }

    private void readOneByOne(int length) {
        for (int i = 0; i < length; i += BLOCK) {
            if (!reads(targetAt + i, BLOCK, runFrom + i)) {
                zero(targetAt + i, BLOCK);
                unreadable++;
            }
        }
    }

    private void zero(int at, int length) {
        for (int i = 0; i < length; i += Long.BYTES) {
            target.putLong(at + i, 0);
        }
    }

    /** Reads a part of the run; false if the disk does not give it. */
    private boolean reads(int at, int length, long from) {
        int limit = target.limit();
        int position = target.position();
        target.limit(at + length).position(at);
        try {
            LayerNode node = runLayer;
            if (node == null) {
                journal.read(from, target);
            } else {
                filesOf(node).read(from / BLOCK, target);
            }
            return true;
        } catch (IOException e) {
            return false;
        } finally {
            target.limit(limit).position(position);
        }
    }
}
