package io.longhorn.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * Keeps operations on partial blocks apart from every other operation on the same blocks: one that must read before it can write holds
 * its blocks from the read until it has its sequence; whoever touches them meanwhile waits behind it, in order. Nearly always empty.
 * Engine loop only.
 */
final class BlockGates {
    private final List<Request> holding = new ArrayList<>();
    private final List<Request> waiting = new ArrayList<>();

    /** Whether the request may go on now; else it was queued and comes back from {@link #leave}. */
    boolean enter(Request request) {
        if (!request.passedGate && (overlapsAny(holding, request) || overlapsAny(waiting, request))) {
            waiting.add(request);
            return false;
        }
        return true;
    }

    /** Holds the request's blocks until {@link #leave}. */
    void hold(Request request) {
        holding.add(request);
    }

    /** Lets go of the blocks; returns, in order, the waiting requests that may go on now. */
    List<Request> leave(Request request) {
        holding.remove(request);
        List<Request> free = new ArrayList<>();
        for (int i = 0; i < waiting.size(); ) {
            Request next = waiting.get(i);
            if (!overlapsAny(holding, next)
                    && !overlapsAny(waiting.subList(0, i), next)
                    && !overlapsGated(free, next)) {
                waiting.remove(i);
                next.passedGate = true;
                free.add(next);
            } else {
                i++;
            }
        }
        return free;
    }

    /** Everything that waits or holds, emptied. */
    List<Request> clear() {
        List<Request> all = new ArrayList<>(holding);
        all.addAll(waiting);
        holding.clear();
        waiting.clear();
        return all;
    }

    boolean isEmpty() {
        return holding.isEmpty() && waiting.isEmpty();
    }

    /** A request that was just freed and must read first will hold its blocks. */
    private static boolean overlapsGated(List<Request> freed, Request request) {
        for (Request r : freed) {
            if (r.mustRead() && r.overlaps(request)) {
                return true;
            }
        }
        return false;
    }

    private static boolean overlapsAny(List<Request> requests, Request request) {
        for (int i = 0; i < requests.size(); i++) {
            if (requests.get(i).overlaps(request)) {
                return true;
            }
        }
        return false;
    }
}
