package io.longhorn.replica.layer;

import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Where the content of a block stands: the answer to the last question, used again and again so that asking allocates nothing. Loop only.
 */
public final class BlockLookup {
    private @Nullable LayerNode layer;
    private long entry = MapEntry.ABSENT;
    private int crc;
    private long position = PendingBlocks.NO_POSITION;

    /** What the layer alone says: what is journaled, else its map. False if nothing. */
    public boolean own(LayerNode node, long block) throws IOException {
        return journaled(node, block) || mapped(node, block);
    }

    /** What the journal alone says about the block in this layer. */
    boolean journaled(LayerNode node, long block) {
        PendingBlocks pending = node.pending();
        if (pending.isEmpty()) {
            return false;
        }
        int slot = pending.find(block);
        long ranged = pending.ranges().sequenceAt(block);
        if (slot == PendingBlocks.NONE) {
            if (ranged == 0) {
                return false;
            }
            set(node, MapEntry.of(BlockState.ZEROED, ranged), 0, PendingBlocks.NO_POSITION);
        } else if (ranged > MapEntry.sequence(pending.entry(slot))) {
            set(node, MapEntry.of(BlockState.ZEROED, ranged), 0, PendingBlocks.NO_POSITION);
        } else {
            set(node, pending.entry(slot), pending.crc(slot), pending.position(slot));
        }
        return true;
    }

    /** What the layer's map alone says. */
    boolean mapped(LayerNode node, long block) throws IOException {
        LayerFiles files = node.files();
        if (files == null || block >= files.map().blocks()) {
            nothing();
            return false;
        }
        MapPage page = files.map().page(block);
        if (page == null) {
            nothing();
            return false;
        }
        int index = MapPage.indexOf(block);
        long found = page.entry(index);
        if (MapEntry.isAbsent(found)) {
            nothing();
            return false;
        }
        set(node, found, page.crc(index), PendingBlocks.NO_POSITION);
        return true;
    }

    /** No layer says anything: zeroes that were never written. */
    public void nothing() {
        set(null, MapEntry.ABSENT, 0, PendingBlocks.NO_POSITION);
    }

    /** Sets the answer, for one who looked elsewhere. */
    public void set(@Nullable LayerNode decides, long found, int foundCrc, long foundPosition) {
        layer = decides;
        entry = found;
        crc = foundCrc;
        position = foundPosition;
    }

    /** Layer that decides; null if none says anything, and the block is zeroes. */
    @Nullable
    public LayerNode layer() {
        return layer;
    }

    /** {@link MapEntry}. */
    public long entry() {
        return entry;
    }

    /** CRC32C of the block if it is data. */
    public int crc() {
        return crc;
    }

    /** Where the bytes stand in the journal; {@link PendingBlocks#NO_POSITION} if in the layer's data file, or nowhere. */
    public long position() {
        return position;
    }

    /** Whether the block has bytes. */
    public boolean isData() {
        return MapEntry.isData(entry);
    }

    /** The layer's map page is damaged: neither state nor content is known. */
    public boolean isDamaged() {
        return MapEntry.isDamaged(entry);
    }

    boolean isJournaled() {
        return position != PendingBlocks.NO_POSITION;
    }

    /** Of the block's last write; 0 if there was none. */
    public long sequence() {
        return MapEntry.sequence(entry);
    }

    /** State of a block that is not damaged. */
    public BlockState state() {
        return MapEntry.state(entry);
    }

    /** The checksum that an answer carries for the block. */
    int storedCrc() {
        return isData() ? crc : Checksum.ZERO_BLOCK;
    }
}
