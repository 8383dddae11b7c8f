package io.longhorn.replica.server;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A layer in memory: its place in the tree, its files, and the journaled blocks that are not in them yet. Marks carry the sequence of the operation
 * that set them, so that the tree can be told as of any sequence that is not checkpointed. Loop only.
 */
final class LayerNode {
    final LayerId id;

    @Nullable
    LayerNode parent;
    /** 0 while it is the head. */
    long frozenSequence;

    String name = "";
    boolean userMade;
    long createdAtMillis;
    long sizeBytes;
    Map<String, String> labels = Map.of();
    /** Sequence of the deletion of its snapshot, 0 if it is not deleted. */
    long removedSequence;
    /** Sequence of the revert that dropped it while it was the head, 0 if none did. */
    long droppedSequence;
    /** Blocks that its files hold; an estimate after a crash, exact within a run. */
    long dataBlocks;

    final PendingBlocks pending = new PendingBlocks();
    final LayerFiles files;

    LayerNode(LayerId id, @Nullable LayerNode parent, long sizeBytes, LayerFiles files) {
        this.id = id;
        this.parent = parent;
        this.sizeBytes = sizeBytes;
        this.files = files;
    }

    /** The child, and how far it was frozen, for which overridden blocks were given back already. */
    private @Nullable LayerId punchedFor;

    boolean punchedFor(LayerNode child) {
        return child.frozenSequence != 0 && child.id.equals(punchedFor);
    }

    void markPunchedFor(LayerNode child) {
        punchedFor = child.id;
    }

    boolean isRemoved() {
        return removedSequence != 0;
    }

    boolean isHead() {
        return frozenSequence == 0 && droppedSequence == 0;
    }

    /** Whether records with that sequence belong to this layer. */
    boolean covers(long sequence) {
        return id.sequence() <= sequence && (frozenSequence == 0 || sequence < frozenSequence);
    }

    /** What it was after the operation with that sequence; it must exist by then. */
    Message.Layer asOf(long sequence) {
        boolean frozen = frozenSequence != 0 && frozenSequence <= sequence;
        return new Message.Layer(
                id,
                parent == null ? LayerId.LIVE : parent.id,
                frozen ? frozenSequence : 0,
                frozen ? name : "",
                frozen && userMade,
                removedSequence != 0 && removedSequence <= sequence,
                frozen ? createdAtMillis : 0,
                sizeBytes,
                Math.max(0, dataBlocks) * FrameLayout.BLOCK_BYTES,
                frozen ? labels : Map.of());
    }
}
