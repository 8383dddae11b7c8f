package io.longhorn.replica;

import io.longhorn.replica.layer.LayerNode;
import java.util.ArrayList;
import java.util.List;

/** Good copies of blocks, journaled and not yet in the layer whose block failed its check. Few at any time. Loop only. */
final class PendingRepairs {

    /**
     * One block's good copy.
     *
     * @param entry what the layer says of the block, and still must say when the copy goes to its place
     * @param position of the block's bytes in the journal
     * @param recordPosition of the record in the journal, needed until the copy is in its place
     * @param recordEnd behind the record
     */
    record Repair(
            LayerNode layer, long block, long entry, int crc, long position, long recordPosition, long recordEnd) {}

    private final List<Repair> waiting = new ArrayList<>(0);

    void add(Repair repair) {
        waiting.add(repair);
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Whether the record of any is durable. */
    boolean hasDurable(long position) {
        for (int i = 0; i < waiting.size(); i++) {
            if (waiting.get(i).recordEnd() <= position) {
                return true;
            }
        }
        return false;
    }

    /** Those whose records are durable. */
    List<Repair> durableThrough(long position) {
        List<Repair> durable = new ArrayList<>();
        for (Repair repair : waiting) {
            if (repair.recordEnd() <= position) {
                durable.add(repair);
            }
        }
        return durable;
    }

    void remove(Repair repair) {
        waiting.remove(repair);
    }

    /** Journal position of the oldest record, {@link Long#MAX_VALUE} if there is none. */
    long oldestPosition() {
        long oldest = Long.MAX_VALUE;
        for (Repair repair : waiting) {
            oldest = Math.min(oldest, repair.recordPosition());
        }
        return oldest;
    }

    void clear() {
        waiting.clear();
    }
}
