package io.longhorn.replica.layer;

import io.longhorn.replica.wire.LayerId;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How far the blocks of a removed layer were given back: which of them its only child overrides, and how far the rest was merged into that child. The maps of both are compared from
 * end to end once; blocks that checkpoints bring into the child meanwhile are noted, and looked up behind that. Not stored: a start begins anew. Loop only.
 */
public final class RemovalProgress {
    /** More than this is looked for in the maps again instead. */
    private static final int BLOCKS_MAX = 1 << 16;

    private @Nullable LayerId punchedFor;
    private long comparedTo;
    private long[] blocks = new long[0];
    private int size;
    /** Entries met and not punched since the comparison of the maps began. */
    private long left;

    private boolean isEmpty;
    private long mergedTo;
    private boolean isUnmergeable;

    // ------------------------------------------------------------------ punching

    /** A checkpoint brought these blocks into the child. */
    public void addOverridden(LayerWork work) {
        if (punchedFor == null && comparedTo == 0) {
            return;
        }
        if (size + work.size() > BLOCKS_MAX) {
            compareAgain();
            return;
        }
        blocks = Arrays.copyOf(blocks, size + work.size());
        for (int i = 0; i < work.size(); i++) {
            blocks[size++] = work.block(i);
        }
    }

    /** Blocks that checkpoints brought into the child since, ascending; from now on somebody else's. */
    public long[] takeOverridden() {
        long[] taken = Arrays.copyOf(blocks, size);
        Arrays.sort(taken);
        blocks = new long[0];
        size = 0;
        return taken;
    }

    /** Whether everything that this child overrides was given back. */
    public boolean isPunchedFor(LayerId child) {
        return child.equals(punchedFor) && size == 0;
    }

    /** Whether the maps were compared from end to end for this child. */
    public boolean isComparedFor(LayerId child) {
        return child.equals(punchedFor);
    }

    /** Block from which the comparison of the maps goes on. */
    public long comparedTo() {
        return comparedTo;
    }

    /** The maps were compared from block {@code from} on; {@code more} entries were met there and not punched. */
    public void compared(long from, long more) {
        left = from == 0 ? more : left + more;
    }

    /** The comparison goes on at that block. */
    public void comparedTo(long block) {
        comparedTo = block;
    }

    /** The comparison has reached the end. */
    public void comparedFor(LayerId child) {
        punchedFor = child;
        comparedTo = 0;
        isEmpty = left == 0;
    }

    /** Nothing is left in the layer. */
    public boolean isEmpty() {
        return isEmpty;
    }

    /** The comparison of the maps starts over. */
    public void compareAgain() {
        punchedFor = null;
        comparedTo = 0;
        blocks = new long[0];
        size = 0;
    }

    // ------------------------------------------------------------------ merging

    /** Block from which merging into the child goes on. */
    public long mergedTo() {
        return mergedTo;
    }

    /** Merging goes on at that block. */
    public void mergedTo(long block) {
        mergedTo = block;
    }

    /** It has damaged entries, which cannot be moved. */
    public boolean isUnmergeable() {
        return isUnmergeable;
    }

    /** Merging met damaged entries. */
    public void cannotBeMerged() {
        isUnmergeable = true;
    }

    /** Everything starts over: the layers are others than before. */
    public void startOver() {
        compareAgain();
        isEmpty = false;
        mergedTo = 0;
        isUnmergeable = false;
    }
}
