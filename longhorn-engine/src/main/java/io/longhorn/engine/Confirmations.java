package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.replica.wire.FrameType;
import java.util.ArrayDeque;

/**
 * Tells callers what every replica of the view has: moves the marks <em>committed</em> and <em>durable</em> as acknowledgements come, confirms the operations and flushes that
 * they pass, and lets the replicas know what is committed. Engine loop only.
 */
final class Confirmations {
    /** After this pause without operations the replicas are told what is committed. */
    private static final long COMMIT_PAUSE_NANOS = 2_000_000;

    private final EngineCore core;
    private final ArrayDeque<Request> flushes = new ArrayDeque<>();
    private long committed;
    private long durable;
    private long committedAnnounced;
    private boolean advancing;
    private boolean commitTimerSet;

    Confirmations(EngineCore core) {
        this.core = core;
    }

    /** A session begins: everything up to there is common to all members. */
    void startAfter(long lastSequence) {
        committed = lastSequence;
        durable = 0;
    }

    long committed() {
        return committed;
    }

    long durable() {
        return durable;
    }

    boolean isFlushing() {
        return !flushes.isEmpty();
    }

    /** What the newest flush waits for, 0 if there is none. */
    long flushSequence() {
        return flushes.isEmpty() ? 0 : flushes.getLast().sequence;
    }

    /** A record that tells what is committed goes to everybody. */
    void announced() {
        committedAnnounced = committed;
    }

    /** A member reconnected: what was asked of it on its old connection is asked again. */
    void askAgain(ReplicaLink link) {
        if (isFlushing()) {
            link.sendSequence(FrameType.FLUSH, flushSequence());
        }
        link.sendSequence(FrameType.COMMIT, committed);
    }

    /** The session is over: flushes fail, and operations whose outcome nobody knows. */
    void failAll(LonghornException cause) {
        while (!flushes.isEmpty()) {
            flushes.remove().abandon(cause);
        }
        while (!core.window.isEmpty()) {
            Request r = core.window.get(core.window.oldestSequence()).request;
            core.window.removeOldest();
            if (r != null) {
                r.abandon(cause);
            }
        }
    }

    /** Requests that wait for a replica that never answers fail in the end; records already sent stay in flight. */
    void expire(long now) {
        long limit = core.settings.operationNanos();
        while (!flushes.isEmpty() && now - flushes.element().startedNanos > limit) {
            flushes.remove().abandon(core.timeLimit("FLUSH"));
        }
        OperationWindow window = core.window;
        for (long s = window.oldestSequence(); s <= window.lastSequence(); s++) {
            Operation operation = window.get(s);
            if (now - operation.sentNanos <= limit) {
                break;
            }
            Request request = operation.request;
            if (request != null) {
                operation.request = null;
                request.abandon(core.timeLimit(request.kind.toString()));
            }
        }
    }

    /** Asks for a sync of everything that is sequenced, wherever it is not durable yet. */
    void startFlush(Request request) {
        request.sequence = core.window.lastSequence();
        flushes.add(request);
        for (ReplicaLink link : core.view.members()) {
            if (link.isReady() && link.durable() < request.sequence) {
                link.sendSequence(FrameType.FLUSH, request.sequence);
            }
        }
        core.reads.renewLeaseIfOver();
    }

    /** Moves the marks, confirms what they pass, and lets waiting requests on. */
    void advance() {
        if (advancing || core.isOver() || core.view.isEmpty()) {
            return;
        }
        advancing = true;
        boolean freed;
        try {
            confirmCommitted(core.view.journaledByAll());
            freed = confirmDurable(core.view.durableByAll());
            core.reads.confirmed(committed);
        } finally {
            advancing = false;
        }
        core.progressed();
        if (freed) {
            core.requests.roomMade();
        }
        announceCommitLater();
    }

    private void confirmCommitted(long journaledByAll) {
        long through = Math.min(journaledByAll, core.window.lastSequence());
        if (through <= committed) {
            return;
        }
        Operation newest = core.window.get(through);
        core.reads.renewLease(newest.sentNanos, newest.sentWallMillis);
        for (long s = committed + 1; s <= through; s++) {
            Operation operation = core.window.get(s);
            core.window.releaseFrame(operation);
        }
        long before = committed;
        committed = through;
        for (long s = before + 1; s <= through; s++) {
            Operation operation = core.window.get(s);
            Request request = operation.request;
            if (!operation.forced && request != null) {
                operation.request = null;
                count(request);
                request.recordOver(null);
            }
        }
    }

    private boolean confirmDurable(long durableByAll) {
        durable = Math.max(durable, Math.min(durableByAll, core.window.lastSequence()));
        boolean freed = false;
        while (!core.window.isEmpty() && core.window.oldestSequence() <= committed) {
            Operation oldest = core.window.get(core.window.oldestSequence());
            if (oldest.forced && oldest.sequence > durable) {
                break;
            }
            Request request = oldest.request;
            core.window.removeOldest();
            freed = true;
            if (request != null) {
                count(request);
                request.recordOver(null);
            }
        }
        while (!flushes.isEmpty() && isFlushed(flushes.element())) {
            Request flush = flushes.remove();
            core.counters.flushes.increment();
            core.counters.flushNanos.add(core.loop.nanoTime() - flush.startedNanos);
            flush.sequencingOver(null);
        }
        return freed;
    }

    /**
     * A flush is over when everything before it is durable on every replica of the core.view, and this engine still had the volume after the flush was
     * asked for: with nothing left to sync, no acknowledgement would show that.
     */
    private boolean isFlushed(Request flush) {
        return flush.sequence <= durable && flush.sequence <= committed && core.reads.leaseAllows();
    }

    private void count(Request request) {
        if (!request.allSequenced || request.unconfirmed != 1) {
            return;
        }
        long took = core.loop.nanoTime() - request.startedNanos;
        switch (request.kind) {
            case WRITE, COMPARE_AND_WRITE, WRITE_ZEROES -> {
                core.counters.writes.increment();
                core.counters.writtenBytes.add(request.length);
                core.counters.writeNanos.add(took);
            }
            case DISCARD -> {
                core.counters.discards.increment();
                core.counters.discardedBytes.add(request.length);
            }
            default -> {}
        }
    }

    private void announceCommitLater() {
        if (commitTimerSet || committedAnnounced >= committed || core.isOver()) {
            return;
        }
        commitTimerSet = true;
        core.loop.schedule(COMMIT_PAUSE_NANOS, () -> {
            commitTimerSet = false;
            if (!core.isOver() && core.window.isEmpty()) {
                announceCommit();
            } else {
                announceCommitLater();
            }
        });
    }

    private void announceCommit() {
        if (committedAnnounced < committed) {
            committedAnnounced = committed;
            for (ReplicaLink link : core.links.values()) {
                if (link.takesRecords && link.isReady()) {
                    link.sendSequence(FrameType.COMMIT, committed);
                }
            }
        }
    }
}
