package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.Tls;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a daemon is started with.
 *
 * @param directory holds all that it keeps; made if it is not there
 * @param api where the API listens; port 0 for any free one
 * @param tokenFile the tokens that the API takes; empty: everybody on this machine may come in
 * @param apiTls empty: the API speaks plain HTTP
 * @param replicaListen where its own replica server listens; empty: it has none
 * @param replicaServers which hold the volumes' replicas; none: they are in the directory itself
 * @param replicaToken the secret shared with replica servers
 * @param replicaTls the files for TLS with replica servers
 * @param frontends how it shows devices
 */
public record DaemonSettings(
        Path directory,
        HostPort api,
        Optional<Path> tokenFile,
        Optional<ApiTls> apiTls,
        Optional<HostPort> replicaListen,
        List<HostPort> replicaServers,
        Optional<String> replicaToken,
        Optional<Tls> replicaTls,
        FrontendSettings frontends) {

    public DaemonSettings {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(api, "api");
        replicaServers = List.copyOf(replicaServers);
    }
}
