package io.longhorn.replica;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A layer in memory: its place in the tree, the journaled blocks that are not in its files yet, and its files once they are made. Marks carry the sequence of the
 * operation that set them, so that the tree can be told as of any sequence that is not checkpointed. Loop only.
 */
final class LayerNode {
    final LayerId id;
    final PendingBlocks pending = new PendingBlocks();

    @Nullable
    LayerNode parent;
    /** Null until a checkpoint made them. */
    @Nullable
    LayerFiles files;
    /** Length that the files were made for. */
    long filesSizeBytes;
    /** 0 while it was not frozen. */
    long frozenSequence;
    /** Sequence of the deletion of its snapshot, 0 if it is not deleted. */
    long removedSequence;
    /** Sequence of the revert that dropped it while it was the head, 0 if none did. */
    long droppedSequence;

    String name = "";
    boolean userMade;
    long createdAtMillis;
    /** Size of the volume when it was frozen; of a head, its size now. */
    long sizeBytes;

    Map<String, String> labels = Map.of();
    /** Blocks of data in its files; exact within a run, an estimate after a crash. */
    long dataBlocks;
    /** Grows whenever the files change, so that whoever read them can tell whether that still counts. */
    int changes;
    /** How far its blocks were given back, if it is removed. */
    final SnapshotRemoval.Overridden overridden = new SnapshotRemoval.Overridden();
    /** Entries met and not punched since the comparison of the maps began. */
    long leftWhileScanning;
    /** Nothing is left in it. */
    boolean isEmpty;
    /** Where its merging into its child goes on. */
    long mergedTo;
    /** It has damaged entries, which cannot be moved. */
    boolean isUnmergeable;
    /** Pages that {@link ResolvedPages} has of this layer with its parents. */
    int resolvedPages;

    LayerNode(LayerId id, @Nullable LayerNode parent, long sizeBytes) {
        this.id = id;
        this.parent = parent;
        this.sizeBytes = sizeBytes;
    }

    /** So many blocks of data more, or less. An estimate may be too small for what goes. */
    void countData(long more) {
        dataBlocks = Math.max(0, dataBlocks + more);
    }

    boolean isHead() {
        return frozenSequence == 0 && droppedSequence == 0;
    }

    boolean isRemoved() {
        return removedSequence != 0;
    }

    /** The rule for which layer a record belongs to: the one that was head when it was sequenced. */
    boolean tookRecord(long sequence) {
        long end = frozenSequence != 0 ? frozenSequence : droppedSequence;
        return id.sequence() <= sequence && (end == 0 || sequence < end);
    }

    /** Everything up to there is in the layers: what the journal has of a head that was dropped since will never go to its files. */
    void checkpointed(long sequence) {
        if (droppedSequence != 0 && droppedSequence <= sequence) {
            pending.clear();
        }
    }

    /** Whether everything that its only child overrides was given back. */
    boolean isPunchedFor(LayerId child) {
        return overridden.isDoneFor(child);
    }

    void forgetPunching() {
        overridden.forget();
        isEmpty = false;
        mergedTo = 0;
        isUnmergeable = false;
    }

    boolean existedAt(long sequence) {
        return (id.sequence() <= sequence || id.equals(LayerId.ROOT))
                && (droppedSequence == 0 || droppedSequence > sequence);
    }

    boolean wasFrozenAt(long sequence) {
        return frozenSequence != 0 && frozenSequence <= sequence;
    }

    /**
     * What it was after the operation with that sequence.
     *
     * @param volumeBytes the volume's size at that time
     */
    Message.Layer asOf(long sequence, long volumeBytes) {
        boolean frozen = wasFrozenAt(sequence);
        LayerNode above = parent;
        return new Message.Layer(
                id,
                above == null ? LayerId.LIVE : above.id,
                frozen ? frozenSequence : 0,
                frozen ? name : "",
                frozen && userMade,
                frozen && removedSequence != 0 && removedSequence <= sequence,
                frozen ? createdAtMillis : 0,
                frozen ? sizeBytes : volumeBytes,
                dataBlocks * FrameLayout.BLOCK_BYTES,
                frozen ? labels : Map.of());
    }

    @Override
    public String toString() {
        return "layer " + id;
    }
}
