package io.longhorn;

/**
 * How fast a volume may be used, as two token buckets: one of operations, one of bytes. An operation waits until both
 * have enough; flushes and the work of rebuilds do not count. 0 for a rate means no limit, then its burst is 0 too.
 *
 * @param operationsPerSecond reads, writes, discards and writes of zeroes together; 0 is unlimited
 * @param operationsBurst how many may follow each other at once after a pause; at least 1
 * @param bytesPerSecond bytes read and written together; 0 is unlimited
 * @param bytesBurst how many bytes may follow each other at once after a pause; at least 1. An operation larger than the
 *     burst still runs, and is paid for afterwards
 */
public record VolumeLimits(long operationsPerSecond, long operationsBurst, long bytesPerSecond, long bytesBurst) {

    /** No limits; the default. */
    public static final VolumeLimits NONE = new VolumeLimits(0, 0, 0, 0);

    public VolumeLimits {
        check("operations", operationsPerSecond, operationsBurst);
        check("bytes", bytesPerSecond, bytesBurst);
    }

    /** The same byte limit and this operation limit, with a burst of one second's worth. */
    public VolumeLimits withOperationsPerSecond(long operations) {
        return withOperationsPerSecond(operations, operations);
    }

    /** The same byte limit and this operation limit. */
    public VolumeLimits withOperationsPerSecond(long operations, long burst) {
        return new VolumeLimits(operations, burst, bytesPerSecond, bytesBurst);
    }

    /** The same operation limit and this byte limit, with a burst of one second's worth. */
    public VolumeLimits withBytesPerSecond(long bytes) {
        return withBytesPerSecond(bytes, bytes);
    }

    /** The same operation limit and this byte limit. */
    public VolumeLimits withBytesPerSecond(long bytes, long burst) {
        return new VolumeLimits(operationsPerSecond, operationsBurst, bytes, burst);
    }

    private static void check(String what, long perSecond, long burst) {
        if (perSecond < 0) {
            throw new IllegalArgumentException(what + "PerSecond must be 0 (no limit) or more, was " + perSecond);
        }
        if (perSecond == 0 ? burst != 0 : burst < 1) {
            throw new IllegalArgumentException(what + "Burst must be at least 1 with a rate and 0 without one; was "
                    + burst + " with " + what + "PerSecond " + perSecond);
        }
    }
}
