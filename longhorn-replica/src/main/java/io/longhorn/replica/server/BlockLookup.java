package io.longhorn.replica.server;

import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Finds where a block's content stands: goes through the layers from one downwards, in each first through what is journaled, then through the map. Holds
 * the answer in its fields until the next question; used again and again. Loop only.
 */
final class BlockLookup {
    BlockState state = BlockState.ABSENT;
    long sequence;
    int crc;
    /** Layer that decides; null if none says anything. */
    @Nullable
    LayerNode layer;
    /** Where the bytes stand in the journal, or -1 if in the layer's data file. */
    long journalPosition;
    /** The layer's map page is damaged: nothing is known. */
    boolean damaged;

    /** What the block is in {@code from} with its parents beneath it. */
    void merged(@Nullable LayerNode from, long block) throws IOException {
        for (LayerNode node = from; node != null; node = node.parent) {
            if (own(node, block) || damaged) {
                return;
            }
        }
        clear(null);
    }

    /** What the layer alone says; false if nothing. */
    boolean own(LayerNode node, long block) throws IOException {
        clear(node);
        int slot = node.pending.size() == 0 ? -1 : node.pending.find(block);
        if (slot >= 0) {
            state = node.pending.state(slot);
            sequence = node.pending.sequence(slot);
            crc = node.pending.crc(slot);
            journalPosition = node.pending.position(slot);
            return true;
        }
        return inFiles(node, block);
    }

    /** What the layer's map alone says, journaled blocks aside. */
    boolean inFiles(LayerNode node, long block) throws IOException {
        clear(node);
        MapPage page = node.files.page(LayerFiles.pageOf(block));
        if (page == null) {
            return false;
        }
        int index = LayerFiles.indexOf(block);
        state = page.state(index);
        if (state == BlockState.ABSENT) {
            damaged = page.isDamaged();
            return false;
        }
        sequence = page.sequence(index);
        crc = page.crc(index);
        return true;
    }

    private void clear(@Nullable LayerNode node) {
        state = BlockState.ABSENT;
        sequence = 0;
        crc = Checksum.ZERO_BLOCK;
        layer = node;
        journalPosition = -1;
        damaged = false;
    }

    boolean isData() {
        return state == BlockState.DATA;
    }
}
