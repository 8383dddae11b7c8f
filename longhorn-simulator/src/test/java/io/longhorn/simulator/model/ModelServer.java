package io.longhorn.simulator.model;

import io.longhorn.simulator.SimHost;
import io.longhorn.simulator.SimLoop;
import io.longhorn.simulator.SimNetwork;
import io.longhorn.simulator.SimProcess;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A replica server that does nothing but what the protocol asks for, without files: engines are tried against it alone, and it says what
 * a replica has to look like from outside.
 */
public final class ModelServer {
    private final SimHost host;
    private final String endpoint;
    final UUID serverId;
    final Map<UUID, ModelReplica> replicas = new HashMap<>();
    final Map<UUID, ModelConnection> attached = new HashMap<>();
    final Map<UUID, Long> lastAcknowledged = new HashMap<>();

    @Nullable
    SimLoop loop;

    public ModelServer(SimHost host, String endpoint) {
        this.host = host;
        this.endpoint = endpoint;
        this.serverId = new UUID(7, endpoint.hashCode());
    }

    /** Starts the server's process. */
    public SimProcess start(SimNetwork network) {
        SimProcess process = host.start(endpoint);
        SimLoop own = process.newLoop("replicas");
        loop = own;
        attached.clear();
        lastAcknowledged.clear();
        network.listen(own, endpoint, connection -> new ModelConnection(this, own, connection));
        return process;
    }

    /** The host lost power. */
    public void losePower() {
        replicas.values().forEach(r -> r.losePower(host.scheduler().random()));
    }

    /** The host lost its disk. */
    public void wipe() {
        replicas.clear();
    }

    SimHost host() {
        return host;
    }
}
