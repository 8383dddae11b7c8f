package io.longhorn.engine;

import java.util.List;

/** Where a volume's next replica goes: one replica per server, the servers in turn. The manager brings a better one. */
interface Placement {
    /** Endpoints for new replicas, best first, without those in {@code taken}. */
    List<String> candidates(List<String> taken);
}
