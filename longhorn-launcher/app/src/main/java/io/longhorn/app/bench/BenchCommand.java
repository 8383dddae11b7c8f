package io.longhorn.app.bench;

import io.longhorn.HostPort;
import io.longhorn.app.CleanUp;
import io.longhorn.app.CommandFailure;
import io.longhorn.app.ConnectionOptions;
import io.longhorn.app.Console;
import io.longhorn.app.Json;
import io.longhorn.app.Main;
import io.longhorn.app.ScratchDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code longhorn bench}: a {@link Bench} on servers of its own, or on those that the user names. */
@Command(
        name = "bench",
        description = {
            "Measure a volume with three replicas: reads and writes beside a bare TCP round trip and a raw file, what"
                    + " happens when servers die or snapshots are made, and how it scales.",
            "Starts three replica servers on this machine unless --endpoints names some. docs/performance.md tells what"
                    + " the figures mean."
        })
public final class BenchCommand implements Callable<Integer> {

    private static final int MEBIBYTE_SHIFT = 20;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--measure",
            paramLabel = "WHAT",
            split = ",",
            defaultValue = "loads,events",
            converter = Measure.Converter.class,
            description =
                    "What to measure, separated by commas: loads (reads and writes without end), events (servers"
                            + " that die and return, rebuilds, snapshots, volumes side by side), scale (a large volume, many"
                            + " idle ones), backups (to a folder, and back), frontends (NBD, iSCSI and a kernel device, beside"
                            + " others; needs root, fio, nbdkit, tgt and more: what is missing is named). Default: ${DEFAULT-VALUE}.")
    private List<Measure> measures = List.of();

    @Option(
            names = "--endpoints",
            paramLabel = "HOST:PORT",
            split = ",",
            description = "Replica servers to use, three or more, separated by commas.")
    private List<HostPort> endpoints = List.of();

    @Option(
            names = "--registry",
            paramLabel = "DIR",
            description =
                    "With --endpoints: the registry that these servers belong to. By default one for benches only,"
                            + " kept under your home directory.")
    private @Nullable Path registry;

    @Mixin
    private ConnectionOptions connection = new ConnectionOptions();

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Where disks and files of the bench go, deleted at its end; by default where temporary files"
                    + " go. Put it on the disk that you want to know about.")
    private @Nullable Path parent;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "5",
            description = "How often to measure everything; the table shows medians. Default: ${DEFAULT-VALUE}.")
    private int runs;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "3",
            description =
                    "How long each load and each stretch of an event lasts, fractions allowed. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(
            names = "--size",
            paramLabel = "MIB",
            defaultValue = "512",
            description =
                    "Size of the volumes under load in MiB; what events write follows it. Default: ${DEFAULT-VALUE}.")
    private int sizeMebibytes;

    @Option(names = "--json", paramLabel = "FILE", description = "Write all figures of all runs to this file as well.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
        check();
        checkJson();
        Console console = Console.of(spec);
        try (CleanUp cleanUp = new CleanUp()) {
            ScratchDirectory directory = cleanUp.add(ScratchDirectory.create(parent, "longhorn-bench-"));
            BenchSettings settings = new BenchSettings(
                    EnumSet.copyOf(measures),
                    endpoints,
                    registry(directory.path()),
                    connection,
                    directory.path(),
                    runs,
                    Duration.ofNanos((long) (seconds * 1e9)),
                    (long) sizeMebibytes << MEBIBYTE_SHIFT);
            Map<String, Object> results = new Bench(settings, console, cleanUp).run();
            if (json != null) {
                Files.writeString(json, Json.of(results));
            }
        }
        return Main.DONE;
    }

    private void check() {
        require(endpoints.isEmpty() || endpoints.size() >= 3, "--endpoints needs at least three servers");
        require(registry == null || !endpoints.isEmpty(), "--registry goes with --endpoints");
        require(
                !endpoints.isEmpty()
                        || (connection.token().isEmpty() && connection.tls().isEmpty()),
                "--token-file and --tls-... go with --endpoints");
        require(runs >= 1, "--runs must be at least 1");
        require(seconds > 0 && seconds <= 3600, "--seconds must be above 0 and at most 3600");
        require(sizeMebibytes >= 1 && sizeMebibytes <= 1 << 20, "--size must be 1 to 1048576 MiB");
    }

    /** Better now than after minutes. */
    private void checkJson() {
        Path directory = json == null ? null : json.toAbsolutePath().getParent();
        if (directory != null && !Files.isDirectory(directory)) {
            throw new CommandFailure("there is no directory " + directory + " for the file of --json; create it");
        }
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new ParameterException(
                    Objects.requireNonNull(spec, "called outside of the command line")
                            .commandLine(),
                    otherwise);
        }
    }

    /** Servers that were used once belong to a registry for good, so the default must be the same each time. */
    private Path registry(Path scratch) throws IOException {
        if (registry != null) {
            return registry;
        }
        if (endpoints.isEmpty()) {
            return scratch.resolve("registry");
        }
        String state = System.getenv().getOrDefault("XDG_STATE_HOME", "");
        Path home = state.isBlank() ? Path.of(System.getProperty("user.home"), ".local", "state") : Path.of(state);
        return Files.createDirectories(home.resolve("longhorn")).resolve("bench-registry");
    }
}
