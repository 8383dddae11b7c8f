package io.longhorn.app.bench;

import io.longhorn.app.Console;
import io.longhorn.app.InputEnd;
import io.longhorn.app.Main;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What {@code longhorn bench} starts in processes of their own for baselines and to measure them. Not for people, hence not in the help. */
@Command(name = "bench-part", hidden = true, description = "A part of bench that runs in a process of its own.")
public final class BenchPartCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        if (spec == null) {
            throw new IllegalStateException("run outside of the command line");
        }
        throw new ParameterException(spec.commandLine(), "a part is missing");
    }

    @Command(name = "tcp-server", description = "Answers bare round trips.")
    int tcpServer() throws IOException {
        endWithParent();
        BareTcp.serve(Console.of(spec));
        return Main.DONE;
    }

    @Command(name = "tcp-client", description = "Makes bare round trips.")
    int tcpClient(
            @Option(names = "--port", required = true) int port,
            @Option(names = "--millis", required = true) long millis)
            throws IOException {
        endWithParent();
        BareTcp.call(Console.of(spec), port, Duration.ofMillis(millis));
        return Main.DONE;
    }

    @Command(name = "bulk-server", description = "Receives bulk data into a file.")
    int bulkServer(
            @Option(names = "--file", required = true) Path file,
            @Option(names = "--bytes", required = true) long bytes)
            throws IOException {
        endWithParent();
        BulkFloor.serve(Console.of(spec), file, bytes);
        return Main.DONE;
    }

    @Command(name = "idle-volumes", description = "Opens many volumes and does nothing with them.")
    int idleVolumes(
            @Option(names = "--directory", required = true) Path directory,
            @Option(names = "--volumes", required = true) int volumes)
            throws IOException {
        endWithParent();
        IdleVolumes.measure(Console.of(spec), directory, volumes);
        return Main.DONE;
    }

    private static void endWithParent() {
        InputEnd.watch(() -> System.exit(Main.FAILED));
    }
}
