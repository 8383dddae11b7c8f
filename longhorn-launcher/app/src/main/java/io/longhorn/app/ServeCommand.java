package io.longhorn.app;

import io.longhorn.HostPort;
import io.longhorn.app.daemon.ApiTls;
import io.longhorn.app.daemon.Daemon;
import io.longhorn.app.daemon.DaemonSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code longhorn serve}: the node daemon, until a signal ends it. Standard output gets exactly one line, when it is ready. */
@Command(
        name = "serve",
        description = {
            "Run the node daemon until SIGTERM or SIGINT: volumes as block devices for other programs, under the",
            "orders of an HTTP API; \"longhorn volume\" and others are its clients.",
            "Prints one line, \"listening HOST:PORT\", on standard output when it is ready. Beyond loopback it asks for",
            "--api-token-file or --api-tls-ca."
        })
final class ServeCommand implements Callable<Integer> {

    /** Waits of an opening, and a stop of the disks. */
    private static final Duration STOP_LIMIT = Duration.ofSeconds(75);

    /** Replica servers may come up later than the daemon: then it is ready without what is on them. */
    private static final Duration RESTORE_LIMIT = Duration.ofSeconds(40);

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--dir", paramLabel = "DIR", required = true, description = "Holds all that the daemon keeps.")
    private @Nullable Path directory;

    @Option(
            names = "--api",
            paramLabel = "HOST:PORT",
            required = true,
            description = "Where the API listens; port 0 for any free one.")
    private @Nullable HostPort api;

    @Option(names = "--api-token-file", paramLabel = "FILE", description = "Bearer tokens of the API, one a line.")
    private @Nullable Path apiTokenFile;

    @ArgGroup(exclusive = false)
    private @Nullable ApiTlsFiles apiTls;

    /** The first two together. */
    private static final class ApiTlsFiles {
        @Option(
                names = "--api-tls-cert",
                paramLabel = "FILE",
                required = true,
                description = "The API's certificate, PEM, followed by intermediate ones.")
        private @Nullable Path certificate;

        @Option(names = "--api-tls-key", paramLabel = "FILE", required = true, description = "Its key, PEM, PKCS#8.")
        private @Nullable Path key;

        @Option(
                names = "--api-tls-ca",
                paramLabel = "FILE",
                description = "Asks clients of the API for certificates, which these may have signed, PEM.")
        private @Nullable Path authority;
    }

    @Option(
            names = "--replica-server",
            paramLabel = "HOST:PORT",
            description =
                    "A replica server for the volumes; give it several times. Without any a volume has up to three"
                            + " replicas in subdirectories of DIR, which may be other disks.")
    private List<HostPort> replicaServers = List.of();

    @Option(
            names = "--replica-listen",
            paramLabel = "HOST:PORT",
            description = "Run a replica server here as well, for this daemon and others.")
    private @Nullable HostPort replicaListen;

    @Mixin
    private FrontendOptions frontends = new FrontendOptions();

    @Mixin
    private ConnectionOptions connection = new ConnectionOptions();

    @Option(
            names = "--stop-with-input",
            description = "Also stop when standard input ends: for programs that start daemons and must not leave any"
                    + " behind.")
    private boolean stopWithInput;

    @Override
    public Integer call() throws Exception {
        Daemon daemon = Daemon.start(settings());
        UntilSignal running = new UntilSignal("longhorn serve", daemon, STOP_LIMIT);
        running.arm();
        if (stopWithInput) {
            InputEnd.watch(() -> System.exit(Main.DONE));
        }
        Console console = Console.of(spec);
        if (!daemon.awaitRestored(RESTORE_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            console.remark("some volumes are not attached again yet");
        }
        console.line(ReplicaCommand.LISTENING + daemon.address());
        running.await();
        return Main.DONE;
    }

    private DaemonSettings settings() {
        return new DaemonSettings(
                Objects.requireNonNull(directory, "directory"),
                Objects.requireNonNull(api, "api"),
                Optional.ofNullable(apiTokenFile),
                Optional.ofNullable(apiTls)
                        .map(files -> new ApiTls(
                                Objects.requireNonNull(files.certificate),
                                Objects.requireNonNull(files.key),
                                Optional.ofNullable(files.authority))),
                Optional.ofNullable(replicaListen),
                replicaServers,
                connection.token(),
                connection.tls(),
                frontends.settings());
    }
}
