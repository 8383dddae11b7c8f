package io.longhorn.engine;

import java.util.UUID;

/**
 * A replica of a volume, in the view or not.
 *
 * @param replicaId new at each creation, so that a disk that came back empty is not taken for the old replica
 * @param endpoint where its replica server listens, {@code host:port}
 */
public record ReplicaRecord(UUID replicaId, String endpoint) {}
