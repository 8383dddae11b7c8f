package io.longhorn;

import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What the registry says of a volume, at one moment; see {@link Longhorn#describe}.
 *
 * @param name unique in its registry
 * @param id given at creation; a volume of the same name created later has another one
 * @param sizeBytes as of the last change that the registry knows
 * @param replicasWanted how many replicas should be in sync
 * @param minInSync changes are refused while fewer replicas are in sync
 * @param durability chosen at creation
 * @param limits kept with the volume
 * @param labels given at creation; unmodifiable, in the order of the keys
 * @param createdAt by the clock of who created it
 * @param replicas where its replicas are, as {@link ReplicaStatus#location()}
 * @param source what it is being filled from; empty if it is complete. Until then {@link Longhorn#open} refuses it
 */
public record VolumeDescription(
        String name,
        UUID id,
        long sizeBytes,
        int replicasWanted,
        int minInSync,
        Durability durability,
        VolumeLimits limits,
        Map<String, String> labels,
        Instant createdAt,
        List<String> replicas,
        Optional<String> source) {

    public VolumeDescription {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(durability, "durability");
        Objects.requireNonNull(limits, "limits");
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(source, "source");
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
        replicas = List.copyOf(replicas);
    }
}
