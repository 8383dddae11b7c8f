package io.longhorn.replica;

/**
 * How fast engines may fill a journal that checkpoints do not empty as fast. Without it they would fill it at full speed, stand still until the next checkpoint ends, and so on.
 * While less than half of the journal is used nobody is held back. Beyond that credit grows with the speed at which checkpoints have been moving records, times a factor that
 * falls from any speed at half of the journal, through that very speed at three quarters, to a sixteenth of it near its end. Loop only.
 */
final class JournalPace {
    /** No limit. */
    static final long UNLIMITED = Long.MAX_VALUE;

    /** Credit is not worth telling of in smaller portions. */
    static final long PORTION_BYTES = 16 << 10;

    private static final double FREE_SHARE = 0.5;
    /** Or else a journal would be full only after very long, and nobody would learn that a disk is. */
    private static final double SLOWEST = 1 / 16.0;
    /** What was not granted in time is not kept for longer. */
    private static final double KEPT_NANOS = 4e6;
    /** Assumed until a checkpoint has shown it. */
    private static final double FIRST_BYTES_PER_NANO = 0.05;
    /** Moving less says little about the disk. */
    private static final long TELLING_BYTES = 1 << 20;

    private double bytesPerNano = FIRST_BYTES_PER_NANO;
    private boolean measured;
    /** Whether the last answer was a limit. */
    private boolean limits;

    private double allowed;
    private long asOfNanos;

    /** A checkpoint moved records of so many bytes in that time. */
    void moved(long bytes, long nanos) {
        if (bytes < TELLING_BYTES || nanos <= 0) {
            return;
        }
        double now = (double) bytes / nanos;
        bytesPerNano = measured ? (bytesPerNano + now) / 2 : now;
        measured = true;
    }

    /**
     * Bytes that may be granted now, {@link #UNLIMITED} while the journal is empty enough.
     *
     * @param usedBytes of the journal
     * @param capacityBytes of the journal
     */
    long allowedBytes(long usedBytes, long capacityBytes, long nowNanos) {
        double beyond = (double) usedBytes / Math.max(1, capacityBytes) - FREE_SHARE;
        if (beyond <= 0) {
            limits = false;
            return UNLIMITED;
        }
        double speed = bytesPerNano * Math.max(SLOWEST, (1 - FREE_SHARE - beyond) / beyond);
        long passed = limits ? Math.max(0, nowNanos - asOfNanos) : 0;
        limits = true;
        asOfNanos = nowNanos;
        allowed = Math.min(allowed + speed * passed, Math.max(speed * KEPT_NANOS, 2.0 * SpaceCredit.WINDOW_BYTES_MIN));
        return allowed < PORTION_BYTES ? 0 : (long) allowed;
    }

    /** Of what was allowed last, so much was granted. */
    void granted(long bytes) {
        allowed = Math.max(0, allowed - bytes);
    }
}
