package io.longhorn;

import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * What {@link Longhorn#salvage} chose, and what that may cost.
 *
 * @param volume the name of the volume
 * @param epoch the new epoch
 * @param replica whose content is the truth now
 * @param location where that replica is
 * @param lastEpoch the epoch of the last operation that it holds
 * @param lastSequence the sequence number of the last operation that it holds
 * @param dropped replicas that will be rebuilt from it when they return
 * @param mixed whether that replica was half rebuilt, so that its blocks may stem from different moments
 * @param mayHaveLostWrites whether confirmed writes may be missing; false if it is proved that none are
 */
public record SalvageReport(
        String volume,
        long epoch,
        UUID replica,
        String location,
        long lastEpoch,
        long lastSequence,
        List<ReplicaStatus> dropped,
        boolean mixed,
        boolean mayHaveLostWrites) {

    public SalvageReport {
        Objects.requireNonNull(volume, "volume");
        Objects.requireNonNull(replica, "replica");
        Objects.requireNonNull(location, "location");
        dropped = List.copyOf(dropped);
    }
}
