package io.longhorn.app;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say where volumes are. */
final class VolumeAccess {

    @ArgGroup(multiplicity = "0..1")
    private @Nullable Place place;

    /** One of them. */
    private static final class Place {
        @Option(
                names = "--dir",
                paramLabel = "DIR",
                required = true,
                description = "A directory of Longhorn.embedded, which no program uses at the moment.")
        private @Nullable Path directory;

        @Option(
                names = "--registry",
                paramLabel = "DIR",
                required = true,
                description = "The registry of volumes on replica servers.")
        private @Nullable Path registry;
    }

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            description =
                    "With --registry: a replica server for new volumes; give it several times. Default: those that"
                            + " hold volumes of the registry.")
    private List<HostPort> servers = List.of();

    @Mixin
    private ConnectionOptions connection = new ConnectionOptions();

    /** Whether a place was named; without one a daemon may have the volumes. */
    boolean isGiven() {
        return place != null;
    }

    Longhorn open() {
        Place chosen = Objects.requireNonNull(place, "place");
        if (chosen.directory != null) {
            return Longhorn.embedded(chosen.directory);
        }
        LonghornConfig.Builder config = LonghornConfig.builder().registry(Objects.requireNonNull(chosen.registry));
        servers.forEach(server -> config.replicaServer(server.toString()));
        connection.token().ifPresent(config::token);
        connection.tls().ifPresent(tls -> config.tls(tls.certificate(), tls.key(), tls.authority()));
        return Longhorn.connect(config.build());
    }
}
