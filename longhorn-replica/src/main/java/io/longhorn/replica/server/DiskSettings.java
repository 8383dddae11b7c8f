package io.longhorn.replica.server;

/**
 * How one disk of a replica server works.
 *
 * @param segmentBytes size of a journal segment; a multiple of 4096, large enough for several of the largest frames (default 32 MiB: a
 *     handful of segments absorbs seconds of writes, and making one ahead takes tens of milliseconds)
 * @param segmentsMax segments kept at most, which bounds the journal (default 16, 512 MiB)
 * @param checkpointBytes journaled bytes that are not in layers and start a checkpoint (default 64 MiB)
 * @param checkpointQuietNanos a checkpoint starts also when this much time passed since the last one (default 1 s)
 * @param mapCacheBytes memory for pages of block maps (default 64 MiB)
 * @param openLayersMax layers whose files are open at once (default 4096)
 * @param reserveBytes free space that only deletions and structural operations may use (default 64 MiB)
 * @param scrubBytesPerSecond speed of the background scrub, 0 for none (default 4 MiB/s)
 */
public record DiskSettings(
        int segmentBytes,
        int segmentsMax,
        long checkpointBytes,
        long checkpointQuietNanos,
        long mapCacheBytes,
        int openLayersMax,
        long reserveBytes,
        long scrubBytesPerSecond) {

    /** What holds if nothing is set. */
    public static final DiskSettings DEFAULTS =
            new DiskSettings(32 << 20, 16, 64L << 20, 1_000_000_000L, 64L << 20, 4096, 64L << 20, 4L << 20);

    /** Smallest segment: a header and a few of the largest frames. */
    public static final int SEGMENT_BYTES_MIN = 1 << 20;

    public DiskSettings {
        if (segmentBytes < SEGMENT_BYTES_MIN || segmentBytes % 4096 != 0) {
            throw new IllegalArgumentException(
                    "segmentBytes must be a multiple of 4096, at least " + SEGMENT_BYTES_MIN + ", was " + segmentBytes);
        }
        if (segmentsMax < 3) {
            throw new IllegalArgumentException("segmentsMax must be at least 3, was " + segmentsMax);
        }
        if (checkpointBytes < 1 || checkpointBytes > (long) segmentBytes * (segmentsMax - 1)) {
            throw new IllegalArgumentException("checkpointBytes " + checkpointBytes
                    + " must be positive and below the journal's " + (long) segmentBytes * (segmentsMax - 1));
        }
        if (checkpointQuietNanos < 1
                || mapCacheBytes < 4096
                || openLayersMax < 1
                || reserveBytes < 0
                || scrubBytesPerSecond < 0) {
            throw new IllegalArgumentException("negative or zero setting: quiet " + checkpointQuietNanos
                    + ", map cache "
                    + mapCacheBytes + ", open layers " + openLayersMax + ", reserve " + reserveBytes + ", scrub "
                    + scrubBytesPerSecond);
        }
    }
}
