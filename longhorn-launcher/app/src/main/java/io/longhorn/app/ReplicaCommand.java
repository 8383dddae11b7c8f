package io.longhorn.app;

import io.longhorn.HostPort;
import io.longhorn.replica.ReplicaServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code longhorn replica}: one replica server until a signal ends it. Standard output gets exactly one line, when the
 * server is ready: {@value #LISTENING} and the address. SIGTERM and SIGINT end it cleanly with exit code 0.
 */
@Command(
        name = "replica",
        description = {
            "Run a replica server until SIGTERM or SIGINT.",
            "Prints one line, \"listening HOST:PORT\", on standard output when it is ready. Beyond loopback it asks for"
                    + " --token-file or the three --tls options."
        })
final class ReplicaCommand implements Callable<Integer> {

    static final String LISTENING = "listening ";

    /** Longer than any sync of a healthy disk; after that the next start recovers, as after a crash. */
    private static final Duration STOP_LIMIT = Duration.ofSeconds(40);

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            required = true,
            arity = "1..*",
            description = "Directory of a disk; name several, or give the option several times, for several disks.")
    private List<Path> directories = List.of();

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            required = true,
            description = "Where to listen; port 0 for any free one.")
    private @Nullable HostPort listen;

    @Mixin
    private ConnectionOptions connection = new ConnectionOptions();

    @Option(
            names = "--stop-with-input",
            description = "Also stop when standard input ends: for programs that start servers and must not leave any"
                    + " behind.")
    private boolean stopWithInput;

    @Override
    public Integer call() throws Exception {
        ReplicaServer.Builder builder = ReplicaServer.builder().listen(Objects.requireNonNull(listen, "listen"));
        directories.forEach(builder::directory);
        connection.token().ifPresent(builder::token);
        connection.tls().ifPresent(builder::tls);
        ReplicaServer server = builder.start();
        UntilSignal running = new UntilSignal("longhorn replica", server, STOP_LIMIT);
        running.arm();
        if (stopWithInput) {
            InputEnd.watch(() -> System.exit(Main.DONE));
        }
        Console.of(spec).line(LISTENING + server.address());
        running.await();
        return Main.DONE;
    }
}
