package io.longhorn.engine;

/**
 * Until when this engine may answer reads without asking: the send time of a message that every member of the view acknowledged, plus
 * the lease. Elapsed time is the larger of what the monotonic and the wall clock say, so that neither a suspended host nor a jumping clock
 * stretches it.
 *
 * <p>Written by the engine's loop; {@link #validAt} may be asked by any thread with clocks it read itself. The two times are
 * written apart: a reader that catches one of them old computes a longer elapsed time, which is the safe side.
 */
final class ReadLease {
    private final long leaseNanos;
    private volatile long fromNanos;
    private volatile long fromWallMillis;
    private volatile boolean held;
    private volatile boolean ended;

    ReadLease(long leaseNanos) {
        this.leaseNanos = leaseNanos;
    }

    /** All members acknowledged a message that was sent at this time. */
    void renew(long sentNanos, long sentWallMillis) {
        if (!held || sentNanos - fromNanos >= 0) {
            fromNanos = sentNanos;
            fromWallMillis = sentWallMillis;
            held = true;
        }
    }

    /** Gives the lease up; reads renew it first. */
    void lapse() {
        held = false;
    }

    /** The session is over: no read is answered any more. */
    void end() {
        ended = true;
    }

    boolean validAt(long nanos, long wallMillis) {
        return held && !ended && elapsedNanos(nanos, wallMillis) < leaseNanos;
    }

    private long elapsedNanos(long nanos, long wallMillis) {
        return Math.max(nanos - fromNanos, (wallMillis - fromWallMillis) * 1_000_000);
    }
}
