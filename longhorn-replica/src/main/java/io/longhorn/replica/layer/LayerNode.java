package io.longhorn.replica.layer;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A layer in memory: its place in the tree, the journaled blocks that are not in its files yet, and its files once they are made. Marks carry the sequence of the
 * operation that set them, so that the tree can be told as of any sequence that is not checkpointed. Loop only.
 */
public final class LayerNode {
    private final LayerId id;
    private final PendingBlocks pending = new PendingBlocks();

    /** From here to the labels: written by {@link LayerTree} alone. */
    @Nullable
    LayerNode parent;

    @Nullable
    LayerFiles files;

    long filesSizeBytes;
    long frozenSequence;
    long removedSequence;
    long droppedSequence;
    String name = "";
    boolean userMade;
    long createdAtMillis;
    long sizeBytes;
    Map<String, String> labels = Map.of();
    long dataBlocks;
    /** Pages that {@link ResolvedPages} has of this layer with its parents. */
    int resolvedPages;

    private final RemovalProgress removal = new RemovalProgress();

    public LayerNode(LayerId id, @Nullable LayerNode parent, long sizeBytes) {
        this.id = id;
        this.parent = parent;
        this.sizeBytes = sizeBytes;
    }

    // ------------------------------------------------------------------ what it is

    /** Of its beginning; the oldest layer is {@link LayerId#ROOT}. */
    public LayerId id() {
        return id;
    }

    /** The layer directly below; null for the oldest one. */
    @Nullable
    public LayerNode parent() {
        return parent;
    }

    /** Of its snapshot; empty for a head. */
    public String name() {
        return name;
    }

    /** Whether a user made its snapshot, not the engine for its own ends. */
    public boolean userMade() {
        return userMade;
    }

    /** When it was frozen, by the engine's clock. */
    public long createdAtMillis() {
        return createdAtMillis;
    }

    /** Size of the volume when it was frozen; of a head, its size now. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** 0 while it was not frozen. */
    public long frozenSequence() {
        return frozenSequence;
    }

    /** Sequence of the deletion of its snapshot, 0 if it is not deleted. */
    public long removedSequence() {
        return removedSequence;
    }

    /** Sequence of the revert that dropped it while it was the head, 0 if none did. */
    public long droppedSequence() {
        return droppedSequence;
    }

    boolean isHead() {
        return frozenSequence == 0 && droppedSequence == 0;
    }

    /** Whether its snapshot was deleted, and its blocks go as far as nobody needs them. */
    public boolean isRemoved() {
        return removedSequence != 0;
    }

    /** The rule for which layer a record belongs to: the one that was head when it was sequenced. */
    public boolean tookRecord(long sequence) {
        long end = frozenSequence != 0 ? frozenSequence : droppedSequence;
        return id.sequence() <= sequence && (end == 0 || sequence < end);
    }

    /** Whether it was there after the operation with that sequence. */
    public boolean existedAt(long sequence) {
        return (id.sequence() <= sequence || id.equals(LayerId.ROOT))
                && (droppedSequence == 0 || droppedSequence > sequence);
    }

    /** Whether it was a snapshot after the operation with that sequence. */
    public boolean wasFrozenAt(long sequence) {
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

    // ------------------------------------------------------------------ what it holds

    /** The journaled blocks that are not in its files yet. */
    public PendingBlocks pending() {
        return pending;
    }

    /** Everything up to there is in the layers: what the journal has of a head that was dropped since will never go to its files. */
    public void checkpointed(long sequence) {
        if (droppedSequence != 0 && droppedSequence <= sequence) {
            pending.clear();
        }
    }

    /** Its files; null until a checkpoint made them. */
    @Nullable
    public LayerFiles files() {
        return files;
    }

    /** Length that the files were made for. */
    public long filesSizeBytes() {
        return filesSizeBytes;
    }

    /** They were made for that length. */
    public void filesMade(LayerFiles made, long lengthBytes) {
        files = made;
        filesSizeBytes = lengthBytes;
    }

    /** They were made longer; no effect if there are none. */
    public void filesExpanded(long lengthBytes) {
        LayerFiles present = files;
        if (present != null) {
            present.sizeBytes(lengthBytes);
            filesSizeBytes = lengthBytes;
        }
    }

    /** Blocks of data in its files; exact within a run, an estimate after a crash. */
    public long dataBlocks() {
        return dataBlocks;
    }

    /** So many blocks of data more, or less. An estimate may be too small for what goes. */
    public void countData(long more) {
        dataBlocks = Math.max(0, dataBlocks + more);
    }

    /** Whether {@link ResolvedPages} has pages of this layer with its parents. */
    public boolean isResolved() {
        return resolvedPages > 0;
    }

    /** How far its blocks were given back, if it is removed. */
    public RemovalProgress removal() {
        return removal;
    }

    @Override
    public String toString() {
        return "layer " + id;
    }
}
