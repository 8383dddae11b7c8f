package io.longhorn;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/**
 * Something that happened to an open volume. More kinds may come: let a {@code switch} over events have a default.
 * Replicas are named by {@link ReplicaStatus#id()} and {@link ReplicaStatus#location()}.
 */
public sealed interface VolumeEvent {

    /** The name of the volume. */
    String volume();

    /** When it happened, by the engine's wall clock. */
    Instant at();

    /** The sum of the volume's health changed. */
    record HealthChanged(String volume, Instant at, HealthState before, HealthState after) implements VolumeEvent {}

    /**
     * A replica left the view; writes go on without it.
     *
     * @param reason a sentence for people
     */
    record ReplicaLost(String volume, Instant at, UUID replica, String location, String reason)
            implements VolumeEvent {}

    /**
     * A replica is being brought up to date, from the journal, from block maps, or from nothing.
     *
     * @param totalBytes what will be transferred, as known now
     */
    record RebuildStarted(String volume, Instant at, UUID replica, String location, long totalBytes)
            implements VolumeEvent {}

    /**
     * A rebuild is under way; told at most a few times a second.
     *
     * @param doneBytes what has been transferred
     * @param totalBytes what will have been at the end, as known now; grows while new writes come in
     */
    record RebuildProgress(String volume, Instant at, UUID replica, String location, long doneBytes, long totalBytes)
            implements VolumeEvent {}

    /**
     * A rebuild ended.
     *
     * @param inSync whether the replica is in sync now; if not, it is tried again later
     * @param transferredBytes what was transferred
     * @param took from start to end
     * @param reason a sentence for people if it failed, empty otherwise
     */
    record RebuildEnded(
            String volume,
            Instant at,
            UUID replica,
            String location,
            boolean inSync,
            long transferredBytes,
            Duration took,
            String reason)
            implements VolumeEvent {}

    /** A snapshot was taken. */
    record SnapshotCreated(String volume, Instant at, String snapshot) implements VolumeEvent {}

    /** A snapshot was deleted; its space comes back in the background. */
    record SnapshotDeleted(String volume, Instant at, String snapshot) implements VolumeEvent {}

    /** The volume holds again what it held when the snapshot was taken. */
    record Reverted(String volume, Instant at, String snapshot) implements VolumeEvent {}

    /** The volume grew. */
    record Expanded(String volume, Instant at, long sizeBytes) implements VolumeEvent {}

    /** A replica's copy of a block failed its checksum and was rewritten from a good one. No caller saw the bad copy. */
    record BlockRepaired(String volume, Instant at, UUID replica, String location, long offsetBytes)
            implements VolumeEvent {}

    /** No in-sync replica has a good copy of a block; reading it fails until it is overwritten. */
    record BlockDamaged(String volume, Instant at, long offsetBytes) implements VolumeEvent {}

    /** Another instance opened the volume; this one confirms nothing any more. */
    record Fenced(String volume, Instant at, long newerEpoch) implements VolumeEvent {}
}
