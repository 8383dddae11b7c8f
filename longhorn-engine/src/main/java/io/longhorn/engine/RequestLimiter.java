package io.longhorn.engine;

import io.longhorn.VolumeLimits;
import io.longhorn.replica.wire.Loop;
import org.jspecify.annotations.Nullable;

/**
 * Holds a volume to its limits of operations and bytes per second: two token buckets. A request may start while both hold something and is then
 * charged in full, so one larger than the burst passes and the next waits the longer. Engine loop only.
 */
final class RequestLimiter {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Loop loop;
    private final EngineCounters counters;
    private final Runnable refilled;
    /** Written by the loop. */
    private volatile VolumeLimits limits = VolumeLimits.NONE;

    private double operations;
    private double bytes;
    private long filledNanos;
    private Loop.@Nullable Timer timer;

    RequestLimiter(Loop loop, EngineCounters counters, Runnable refilled) {
        this.loop = loop;
        this.counters = counters;
        this.refilled = refilled;
    }

    VolumeLimits limits() {
        return limits;
    }

    /** Any thread. */
    boolean isUnlimited() {
        return limits.equals(VolumeLimits.NONE);
    }

    /** New limits hold from the next request on; buckets start full. */
    void limits(VolumeLimits changed) {
        limits = changed;
        operations = (double) changed.operationsBurst();
        bytes = (double) changed.bytesBurst();
        filledNanos = loop.nanoTime();
        refilled.run();
    }

    void stop() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    /** Whether the request may start now; if not, the owner is called when it is worth asking again. */
    boolean admits(Request request) {
        if (request.admitted || request.kind == Request.Kind.FLUSH || request.kind == Request.Kind.STRUCTURE) {
            return true;
        }
        request.admitted = admits(request.data == null ? 0 : request.length);
        return request.admitted;
    }

    /** The same for a read of so many bytes. */
    boolean admits(long lengthBytes) {
        if (isUnlimited()) {
            return true;
        }
        refill();
        long wait = Math.max(
                waitNanos(operations, limits.operationsPerSecond()), waitNanos(bytes, limits.bytesPerSecond()));
        if (wait > 0) {
            callLater(wait);
            return false;
        }
        operations -= 1;
        bytes -= (double) lengthBytes;
        return true;
    }

    private void refill() {
        long now = loop.nanoTime();
        double seconds = (now - filledNanos) / NANOS_PER_SECOND;
        filledNanos = now;
        operations = Math.min(
                (double) limits.operationsBurst(), operations + seconds * (double) limits.operationsPerSecond());
        bytes = Math.min((double) limits.bytesBurst(), bytes + seconds * (double) limits.bytesPerSecond());
    }

    private static long waitNanos(double tokens, long perSecond) {
        return perSecond == 0 || tokens > 0 ? 0 : (long) ((1 - tokens) / (double) perSecond * NANOS_PER_SECOND) + 1;
    }

    private void callLater(long waitNanos) {
        if (timer == null) {
            counters.throttledNanos.add(waitNanos);
            timer = loop.schedule(waitNanos, () -> {
                timer = null;
                refilled.run();
            });
        }
    }
}
