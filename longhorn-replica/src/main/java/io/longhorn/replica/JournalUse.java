package io.longhorn.replica;

import java.util.ArrayList;
import java.util.List;

/**
 * What the replicas of a disk need of the journal that they share: which of them need anything, from where on, how much is not in layers yet, and who waits until how much of it is
 * stable. Loop only.
 */
final class JournalUse {
    private record Waiter(long position, Runnable task) {}

    /** Replicas that need something of the journal, or have undurable records. */
    private final List<ReplicaState> replicas = new ArrayList<>();

    private final List<Waiter> waiters = new ArrayList<>();
    private long uncheckpointedBytes;
    private long uncheckpointedMapBytes;

    // ------------------------------------------------------------------ replicas

    /**
     * Records of that replica joined, or left, those that are not in layers.
     *
     * @param mapBytes what the maps may grow by when they go there
     */
    void uncheckpointed(ReplicaState replica, long bytes, long mapBytes) {
        uncheckpointedBytes += bytes;
        uncheckpointedMapBytes += mapBytes;
        if (bytes > 0) {
            needs(replica);
        }
    }

    /** The replica needs something of the journal until {@link ReplicaState#neededFrom} says that it does not. */
    void needs(ReplicaState replica) {
        if (!replica.isJournaled) {
            replica.isJournaled = true;
            replicas.add(replica);
        }
    }

    void remove(ReplicaState replica) {
        replicas.remove(replica);
    }

    /** How many replicas need something of the journal. */
    int replicas() {
        return replicas.size();
    }

    ReplicaState replica(int index) {
        return replicas.get(index);
    }

    /** Bytes of records that are not in layers. */
    long uncheckpointedBytes() {
        return uncheckpointedBytes;
    }

    /** What they take of the disk at most when they go there. */
    long uncheckpointedSpace() {
        return uncheckpointedBytes + uncheckpointedMapBytes;
    }

    /** Whether something can go to layers, now or when it is durable. */
    boolean hasMovable() {
        for (int i = 0; i < replicas.size(); i++) {
            ReplicaState replica = replicas.get(i);
            if (replica.committed() > replica.checkpointed()
                    || !replica.repairs.isEmpty()
                    || replica.isAheadOfMetadata()
                    || replica.hasUndurable()) {
                return true;
            }
        }
        return false;
    }

    /** Whether records may still go to layers that are in the journal now: all are committed soon when an engine is there. */
    boolean mayMoveMore() {
        for (int i = 0; i < replicas.size(); i++) {
            ReplicaState replica = replicas.get(i);
            long may = replica.session == null ? replica.committed() : replica.lastSequence();
            if (may > replica.checkpointed()) {
                return true;
            }
        }
        return false;
    }

    /** Oldest position that a restart would need, {@link Long#MAX_VALUE} if none; forgets the replicas that need nothing any more. */
    long neededFrom() {
        long needed = Long.MAX_VALUE;
        int kept = 0;
        for (int i = 0; i < replicas.size(); i++) {
            ReplicaState replica = replicas.get(i);
            long from = replica.isGone() ? Long.MAX_VALUE : replica.neededFrom();
            needed = Math.min(needed, from);
            if (from == Long.MAX_VALUE && !replica.hasUndurable()) {
                replica.isJournaled = false;
            } else {
                replicas.set(kept++, replica);
            }
        }
        replicas.subList(kept, replicas.size()).clear();
        return needed;
    }

    // ------------------------------------------------------------------ waiting

    /** Runs {@code task} when the journal is stable up to that position. */
    void await(long position, Runnable task) {
        waiters.add(new Waiter(position, task));
    }

    /** The journal is stable up to that position. */
    void runWaiters(long position) {
        if (!waiters.isEmpty()) {
            List<Waiter> due = new ArrayList<>();
            waiters.removeIf(waiter -> waiter.position() <= position && due.add(waiter));
            due.forEach(waiter -> waiter.task().run());
        }
    }

    void forgetWaiters() {
        waiters.clear();
    }
}
