package io.longhorn;

/**
 * Counters of one opening of a volume. They begin at 0 when it is opened and never go down; ask twice and divide to get
 * a rate. Taken one after the other: a set is close to, not exactly, one moment.
 *
 * @param reads completed reads
 * @param readBytes what they returned
 * @param readNanos the sum of their durations
 * @param writes completed writes, forced ones and compare-and-writes included
 * @param writtenBytes what they wrote
 * @param writeNanos the sum of their durations
 * @param flushes completed flushes
 * @param flushNanos the sum of their durations
 * @param discards completed discards and writes of zeroes
 * @param discardedBytes the sum of their lengths
 * @param cacheHitBlocks blocks that reads found in the read cache
 * @param cacheMissBlocks blocks that reads fetched from a replica although the cache is on; rising fast against the hits
 *     means that the cache is too small for the working set
 * @param throttledNanos time that operations waited for the volume's own {@link VolumeLimits}
 * @param checksumMismatches blocks that a replica returned with a wrong checksum; any rise means a failing disk, memory
 *     or wire
 * @param repairedBlocks blocks that were rewritten on a replica from a good copy
 * @param replicasLost how often a replica left the view
 * @param rebuilds rebuilds and catch-ups that ended with the replica in sync
 * @param rebuiltBytes what all rebuilds and catch-ups transferred, failed ones included
 */
public record VolumeStatistics(
        long reads,
        long readBytes,
        long readNanos,
        long writes,
        long writtenBytes,
        long writeNanos,
        long flushes,
        long flushNanos,
        long discards,
        long discardedBytes,
        long cacheHitBlocks,
        long cacheMissBlocks,
        long throttledNanos,
        long checksumMismatches,
        long repairedBlocks,
        long replicasLost,
        long rebuilds,
        long rebuiltBytes) {}
