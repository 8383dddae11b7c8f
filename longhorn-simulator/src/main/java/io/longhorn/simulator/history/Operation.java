package io.longhorn.simulator.history;

import java.util.Arrays;

/** Something a caller asked of a volume, with what it was told. Times are positions in the history. */
public final class Operation {
    /** What was asked. */
    public enum Kind {
        READ,
        WRITE,
        ZERO,
        COMPARE_AND_WRITE,
        SNAPSHOT,
        SNAPSHOT_READ,
        SNAPSHOT_DELETE,
        REVERT,
        SNAPSHOT_LIST,
        EXPAND,
        SIZE,
        FLUSH
    }

    /** What the caller was told. */
    enum Outcome {
        PENDING,
        CONFIRMED,
        /** It failed, or the caller died: it may have happened or not. */
        UNKNOWN
    }

    final int number;
    final Kind kind;
    final int session;
    final int firstBlock;
    final int blocks;
    /** Cells of the first and of the last block. */
    final int firstMask;

    final int lastMask;
    /** The write's number in the contents it writes; the snapshot's index; the new size in blocks. */
    final int value;
    /** What must be there, per block, for COMPARE_AND_WRITE; what was seen, for reads. */
    int[] contents = new int[0];
    /** Bit per snapshot index, for SNAPSHOT_LIST. */
    long listed;

    final boolean forced;
    final int invokedAt;
    int endedAt = Integer.MAX_VALUE;
    /** No effect of it can begin later. */
    int resolvedAt = Integer.MAX_VALUE;

    Outcome outcome = Outcome.PENDING;
    boolean matched;

    Operation(
            int number,
            Kind kind,
            int session,
            int firstBlock,
            int blocks,
            int firstMask,
            int lastMask,
            int value,
            boolean forced,
            int invokedAt) {
        this.number = number;
        this.kind = kind;
        this.session = session;
        this.firstBlock = firstBlock;
        this.blocks = blocks;
        this.firstMask = firstMask;
        this.lastMask = lastMask;
        this.value = value;
        this.forced = forced;
        this.invokedAt = invokedAt;
    }

    /** Whether it was durable when it was confirmed, as callers were promised. */
    public boolean isForced() {
        return forced;
    }

    public Kind kind() {
        return kind;
    }

    public int session() {
        return session;
    }

    /** Counts from 1. */
    public int number() {
        return number;
    }

    public int firstBlock() {
        return firstBlock;
    }

    public int blocks() {
        return blocks;
    }

    public boolean isConfirmed() {
        return outcome == Outcome.CONFIRMED;
    }

    public boolean isPending() {
        return outcome == Outcome.PENDING;
    }

    boolean touches(int block) {
        return block >= firstBlock && block - firstBlock < blocks;
    }

    int mask(int block) {
        int mask = block == firstBlock ? firstMask : BlockContents.ALL_CELLS;
        return block == firstBlock + blocks - 1 ? mask & lastMask : mask;
    }

    boolean isStructure() {
        return kind == Kind.SNAPSHOT || kind == Kind.SNAPSHOT_DELETE || kind == Kind.REVERT || kind == Kind.EXPAND;
    }

    /** Whether it only looks, as far as its outcome tells. */
    boolean isReading() {
        return kind == Kind.READ
                || kind == Kind.SNAPSHOT_READ
                || kind == Kind.SNAPSHOT_LIST
                || kind == Kind.SIZE
                || (kind == Kind.COMPARE_AND_WRITE && outcome == Outcome.CONFIRMED && !matched);
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder("#" + number + " " + kind + " session " + session);
        if (kind != Kind.FLUSH && kind != Kind.SNAPSHOT_LIST && !isStructure()) {
            out.append(" blocks ").append(firstBlock).append('+').append(blocks);
            out.append(" cells ").append(Integer.toBinaryString(firstMask));
            out.append('/').append(Integer.toBinaryString(lastMask));
        }
        out.append(" value ").append(value).append(forced ? " forced" : "");
        out.append(" [").append(invokedAt).append(", ");
        out.append(endedAt == Integer.MAX_VALUE ? "-" : String.valueOf(endedAt))
                .append("] ")
                .append(outcome);
        if (contents.length > 0 && contents.length <= 4) {
            out.append(" contents ").append(Arrays.toString(contents));
        }
        return out.toString();
    }
}
