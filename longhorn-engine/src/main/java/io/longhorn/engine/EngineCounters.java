package io.longhorn.engine;

import io.longhorn.VolumeStatistics;
import java.util.concurrent.atomic.LongAdder;

/** Counts what an engine does. Written by the loop, and by callers' threads where reads hit the cache. */
final class EngineCounters {
    final LongAdder reads = new LongAdder();
    final LongAdder readBytes = new LongAdder();
    final LongAdder readNanos = new LongAdder();
    final LongAdder writes = new LongAdder();
    final LongAdder writtenBytes = new LongAdder();
    final LongAdder writeNanos = new LongAdder();
    final LongAdder flushes = new LongAdder();
    final LongAdder flushNanos = new LongAdder();
    final LongAdder discards = new LongAdder();
    final LongAdder discardedBytes = new LongAdder();
    final LongAdder cacheHitBlocks = new LongAdder();
    final LongAdder cacheMissBlocks = new LongAdder();
    final LongAdder throttledNanos = new LongAdder();
    /** Blocks whose bytes did not match their checksum: a rising value means a disk or a network that corrupts. */
    final LongAdder checksumMismatches = new LongAdder();

    final LongAdder repairedBlocks = new LongAdder();
    final LongAdder replicasLost = new LongAdder();
    final LongAdder rebuilds = new LongAdder();
    final LongAdder rebuiltBytes = new LongAdder();

    VolumeStatistics snapshot() {
        return new VolumeStatistics(
                reads.sum(),
                readBytes.sum(),
                readNanos.sum(),
                writes.sum(),
                writtenBytes.sum(),
                writeNanos.sum(),
                flushes.sum(),
                flushNanos.sum(),
                discards.sum(),
                discardedBytes.sum(),
                cacheHitBlocks.sum(),
                cacheMissBlocks.sum(),
                throttledNanos.sum(),
                checksumMismatches.sum(),
                repairedBlocks.sum(),
                replicasLost.sum(),
                rebuilds.sum(),
                rebuiltBytes.sum());
    }
}
