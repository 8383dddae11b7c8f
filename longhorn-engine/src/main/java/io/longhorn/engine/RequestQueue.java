package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.QueueFullException;
import io.longhorn.TooFewReplicasException;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What callers asked for and has no sequence yet. A request waits for the limits on rates, for earlier ones that share a partial block with it, for the old content of such
 * blocks, and for room in the window and in the replicas' credit; none overtakes another on the same block. Engine loop only.
 */
final class RequestQueue {
    private final EngineCore core;
    private final RequestLimiter limiter;
    private final BlockGates gates = new BlockGates();
    private final ArrayDeque<Request> queue = new ArrayDeque<>();
    /** Requests that hold a gate and wait for window or credit. */
    private final ArrayDeque<Request> held = new ArrayDeque<>();

    private boolean pumping;

    RequestQueue(EngineCore core) {
        this.core = core;
        limiter = new RequestLimiter(core.loop, core.counters, this::pump);
    }

    RequestLimiter limiter() {
        return limiter;
    }

    boolean isEmpty() {
        return queue.isEmpty() && held.isEmpty();
    }

    /** Window or credit grew. */
    void roomMade() {
        if (!held.isEmpty()) {
            pumpHeld();
        }
        if (!queue.isEmpty()) {
            pump();
        }
    }

    /** The session is over. */
    void failAll(LonghornException cause) {
        held.clear();
        for (Request holding : gates.clear()) {
            holding.abandon(cause);
        }
        while (!queue.isEmpty()) {
            queue.remove().abandon(cause);
        }
        limiter.stop();
    }

    /** Requests that waited too long fail. */
    void expire(long now) {
        while (!queue.isEmpty() && now - queue.element().startedNanos > core.settings.operationNanos()) {
            Request late = queue.remove();
            late.sequencingOver(core.timeLimit(late.kind.toString()));
        }
        while (!held.isEmpty() && now - held.element().startedNanos > core.settings.operationNanos()) {
            Request late = held.remove();
            late.sequencingOver(core.timeLimit(late.kind.toString()));
            leaveGate(late);
        }
    }

    /** Takes a request in, or refuses it. */
    void admit(Request request) {
        LonghornException refusal = core.refusal();
        if (refusal != null) {
            request.abandon(refusal);
        } else if (request.kind != Request.Kind.FLUSH && isBelowMinimum()) {
            request.abandon(
                    new TooFewReplicasException(core.volumeName(), core.record().minInSync(), core.view.inSync()));
        } else if (queue.size() >= core.settings.pendingMax()) {
            request.abandon(new QueueFullException(core.volumeName(), core.settings.pendingMax()));
        } else {
            queue.add(request);
            pump();
        }
    }

    private boolean isBelowMinimum() {
        return core.state() == EngineCore.State.OPEN
                && core.view.inSync() < core.record().minInSync();
    }

    /** Moves waiting requests on as far as limits, window and credit allow. */
    void pump() {
        if (pumping || core.state() != EngineCore.State.OPEN) {
            return;
        }
        pumping = true;
        try {
            Request request;
            while ((request = queue.peek()) != null && core.state() == EngineCore.State.OPEN) {
                if (!limiter.admits(request)) {
                    break;
                }
                if (!gates.enter(request)) {
                    queue.remove();
                } else if (request.mustRead() && request.old == null) {
                    queue.remove();
                    gates.hold(request);
                    core.reads.readOld(request);
                } else if (core.sequencer.sequence(request)) {
                    queue.remove();
                } else {
                    break;
                }
            }
        } finally {
            pumping = false;
        }
        core.confirmations.advance();
        core.armTick();
    }

    /** The old content of the request's partial blocks is there (or cannot be had): it is the next to be sequenced. */
    void oldContentRead(Request request, @Nullable LonghornException cause) {
        if (cause != null) {
            request.sequencingOver(cause);
        } else if (request.kind == Request.Kind.COMPARE_AND_WRITE && request.mismatch >= 0) {
            request.sequencingOver(null);
        } else {
            held.add(request);
            pumpHeld();
            return;
        }
        leaveGate(request);
    }

    private void pumpHeld() {
        while (!held.isEmpty() && core.state() == EngineCore.State.OPEN) {
            Request request = held.peek();
            if (!core.sequencer.sequence(request)) {
                break;
            }
            held.remove();
            leaveGate(request);
        }
        core.confirmations.advance();
        core.armTick();
    }

    private void leaveGate(Request request) {
        List<Request> freed = gates.leave(request);
        for (int i = freed.size() - 1; i >= 0; i--) {
            queue.addFirst(freed.get(i));
        }
        pump();
    }
}
