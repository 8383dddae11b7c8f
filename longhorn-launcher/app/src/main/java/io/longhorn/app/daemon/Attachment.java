package io.longhorn.app.daemon;

import java.util.Objects;
import java.util.Optional;

/**
 * That a volume, or a snapshot of it, shall be shown to other programs, and how. Lasts over restarts, until it is detached.
 *
 * @param volume the name of the volume
 * @param snapshot the name of the snapshot; empty for the volume itself
 * @param kind by which frontend
 * @param listen where it listens, in the frontend's own words: {@code HOST:PORT} or {@code unix:PATH}; empty where the frontend has no address, or chooses one
 * @param name what the frontend calls it, such as an export name or an IQN; empty as long as it has none
 */
record Attachment(String volume, Optional<String> snapshot, FrontendKind kind, String listen, String name) {

    Attachment {
        Objects.requireNonNull(volume, "volume");
        Objects.requireNonNull(snapshot, "snapshot");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(listen, "listen");
        Objects.requireNonNull(name, "name");
    }

    /** One of the volume itself and one per snapshot can be there: {@code volume} or {@code volume@snapshot}. */
    String key() {
        return key(volume, snapshot);
    }

    static String key(String volume, Optional<String> snapshot) {
        return snapshot.map(of -> volume + "@" + of).orElse(volume);
    }

    /** The same, as the frontend made it. */
    Attachment at(String where, String as) {
        return new Attachment(volume, snapshot, kind, where, as);
    }
}
