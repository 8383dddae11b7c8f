package io.longhorn.engine;

import io.longhorn.Durability;
import io.longhorn.VolumeLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What the registry says of one volume. Epoch, view and lease holder change together or not at all.
 *
 * @param version 1 at creation, one more at each change
 * @param replicasWanted how many replicas the volume shall have
 * @param minInSync writes are refused while fewer replicas are in the view
 * @param epoch the newest epoch given to an engine; 0 before the first opening
 * @param engineId the engine that epoch belongs to
 * @param limits how much the volume may do
 * @param replicas all replicas that belong to the volume
 * @param view ids of those that are in sync; the others are stale by definition
 * @param holder the last engine that was active
 * @param createdAtMillis wall clock at creation
 * @param source what its content is still being filled from, a text for who fills it; empty if it is complete
 */
public record VolumeRecord(
        long version,
        String name,
        UUID volumeId,
        long sizeBytes,
        Durability durability,
        int replicasWanted,
        int minInSync,
        VolumeLimits limits,
        Map<String, String> labels,
        long createdAtMillis,
        long epoch,
        UUID engineId,
        List<ReplicaRecord> replicas,
        List<UUID> view,
        Optional<LeaseHolder> holder,
        Optional<String> source) {

    /** Engine id of a volume that was never opened. */
    public static final UUID NO_ENGINE = new UUID(0, 0);

    public VolumeRecord {
        labels = Map.copyOf(labels);
        replicas = List.copyOf(replicas);
        view = List.copyOf(view);
        for (UUID member : view) {
            if (replicas.stream().noneMatch(r -> r.replicaId().equals(member))) {
                throw new IllegalArgumentException("volume " + name + ": view member " + member + " is not a replica");
            }
        }
    }

    /** The record of a complete volume. */
    public VolumeRecord(
            long version,
            String name,
            UUID volumeId,
            long sizeBytes,
            Durability durability,
            int replicasWanted,
            int minInSync,
            VolumeLimits limits,
            Map<String, String> labels,
            long createdAtMillis,
            long epoch,
            UUID engineId,
            List<ReplicaRecord> replicas,
            List<UUID> view,
            Optional<LeaseHolder> holder) {
        this(
                version,
                name,
                volumeId,
                sizeBytes,
                durability,
                replicasWanted,
                minInSync,
                limits,
                labels,
                createdAtMillis,
                epoch,
                engineId,
                replicas,
                view,
                holder,
                Optional.empty());
    }

    /** The same, of which nobody has heard yet, with a source. */
    VolumeRecord filledFrom(Optional<String> from) {
        return new VolumeRecord(
                version,
                name,
                volumeId,
                sizeBytes,
                durability,
                replicasWanted,
                minInSync,
                limits,
                labels,
                createdAtMillis,
                epoch,
                engineId,
                replicas,
                view,
                holder,
                from);
    }

    VolumeRecord withSource(Optional<String> from) {
        return next(epoch, engineId, sizeBytes, replicasWanted, limits, replicas, view, holder)
                .filledFrom(from);
    }

    /** The next version, given to an engine that opens the volume. */
    VolumeRecord promisedTo(UUID engine) {
        return next(epoch + 1, engine, sizeBytes, replicasWanted, limits, replicas, view, holder);
    }

    VolumeRecord withView(List<UUID> members) {
        return next(epoch, engineId, sizeBytes, replicasWanted, limits, replicas, members, holder);
    }

    VolumeRecord withReplicas(List<ReplicaRecord> all) {
        List<UUID> members = new ArrayList<>(view);
        members.removeIf(m -> all.stream().noneMatch(r -> r.replicaId().equals(m)));
        return next(epoch, engineId, sizeBytes, replicasWanted, limits, all, members, holder);
    }

    VolumeRecord withReplicas(List<ReplicaRecord> all, int wanted) {
        VolumeRecord next = withReplicas(all);
        return next(epoch, engineId, sizeBytes, wanted, limits, next.replicas(), next.view(), holder);
    }

    VolumeRecord withLimits(VolumeLimits newLimits) {
        return next(epoch, engineId, sizeBytes, replicasWanted, newLimits, replicas, view, holder);
    }

    /** The same with the lease holder's mark that it closed in order. */
    VolumeRecord closedClean() {
        return next(
                epoch, engineId, sizeBytes, replicasWanted, limits, replicas, view, holder.map(LeaseHolder::closed));
    }

    VolumeRecord withHolder(LeaseHolder newHolder) {
        return next(epoch, engineId, sizeBytes, replicasWanted, limits, replicas, view, Optional.of(newHolder));
    }

    VolumeRecord withSize(long bytes) {
        return next(epoch, engineId, bytes, replicasWanted, limits, replicas, view, holder);
    }

    private VolumeRecord next(
            long newEpoch,
            UUID newEngine,
            long newSize,
            int newWanted,
            VolumeLimits newLimits,
            List<ReplicaRecord> newReplicas,
            List<UUID> newView,
            Optional<LeaseHolder> newHolder) {
        return new VolumeRecord(
                version + 1,
                name,
                volumeId,
                newSize,
                durability,
                newWanted,
                Math.min(minInSync, newWanted),
                newLimits,
                labels,
                createdAtMillis,
                newEpoch,
                newEngine,
                newReplicas,
                newView,
                newHolder,
                source);
    }
}
