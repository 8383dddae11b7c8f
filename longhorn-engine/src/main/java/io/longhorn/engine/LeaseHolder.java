package io.longhorn.engine;

import java.util.UUID;

/**
 * The last engine that was active on a volume: it may answer reads without asking until its lease has run out.
 *
 * @param leaseNanos how long after a message that its whole view acknowledged it may answer reads
 * @param clean it closed in order, after its last read and write
 */
public record LeaseHolder(long epoch, UUID engineId, long leaseNanos, String hostId, String bootId, boolean clean) {
    public LeaseHolder {
        if (epoch <= 0 || leaseNanos <= 0) {
            throw new IllegalArgumentException("lease holder with epoch " + epoch + " and lease " + leaseNanos + " ns");
        }
    }

    LeaseHolder closed() {
        return new LeaseHolder(epoch, engineId, leaseNanos, hostId, bootId, true);
    }
}
