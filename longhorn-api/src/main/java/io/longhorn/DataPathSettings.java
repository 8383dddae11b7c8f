package io.longhorn;

/**
 * What each open volume may take of memory and queues.
 *
 * @param readCacheBytes off-heap memory for blocks that were read lately, taken when used; 0 turns the cache
 *     off. Default 32 MiB: a working set of directory and index blocks, modest when an application opens many volumes
 * @param queueDepthMax how many operations of one volume may be in flight, 1 to 65,536. Default 256: saturates a fast
 *     network at usual latencies; a queue longer than that only waits elsewhere
 * @param inFlightBytesMax how many bytes of writes may be in flight, at least 1 MiB. Default 64 MiB: bounds what a volume
 *     holds for resending to replicas
 */
public record DataPathSettings(long readCacheBytes, int queueDepthMax, long inFlightBytesMax) {

    /** What holds if nothing is set. */
    public static final DataPathSettings DEFAULTS = new DataPathSettings(32L << 20, 256, 64L << 20);

    static final int QUEUE_DEPTH_LIMIT = 65_536;
    static final long IN_FLIGHT_BYTES_MIN = 1L << 20;

    public DataPathSettings {
        if (readCacheBytes < 0) {
            throw new IllegalArgumentException("readCacheBytes must be 0 (off) or more, was " + readCacheBytes);
        }
        if (queueDepthMax < 1 || queueDepthMax > QUEUE_DEPTH_LIMIT) {
            throw new IllegalArgumentException(
                    "queueDepthMax must be 1 to " + QUEUE_DEPTH_LIMIT + ", was " + queueDepthMax);
        }
        if (inFlightBytesMax < IN_FLIGHT_BYTES_MIN) {
            throw new IllegalArgumentException(
                    "inFlightBytesMax must be at least " + IN_FLIGHT_BYTES_MIN + ", was " + inFlightBytesMax);
        }
    }
}
