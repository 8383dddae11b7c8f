package io.longhorn;

import java.util.Objects;
import java.util.UUID;

/**
 * A replica as its engine sees it.
 *
 * @param id new at each creation, never reused
 * @param location {@code host:port} of its replica server, or its directory when it lives in this process
 * @param state whether it is in sync
 * @param rebuiltBytes what its running rebuild has transferred, 0 without one
 * @param rebuildTotalBytes what its running rebuild will have transferred at its end as known now, 0 without one
 */
public record ReplicaStatus(UUID id, String location, ReplicaState state, long rebuiltBytes, long rebuildTotalBytes) {

    public ReplicaStatus {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(location, "location");
        Objects.requireNonNull(state, "state");
        if (rebuiltBytes < 0 || rebuildTotalBytes < 0) {
            throw new IllegalArgumentException(
                    "negative: rebuiltBytes " + rebuiltBytes + ", rebuildTotalBytes " + rebuildTotalBytes);
        }
    }
}
