package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The command line, as a client of a daemon. */
public record DaemonCommands(DaemonProcess daemon) {

    public CommandLineRun run(String... arguments) {
        return CommandLineRun.of(Stream.concat(Stream.of("--api", daemon.url()), Stream.of(arguments))
                .toArray(String[]::new));
    }

    /** Runs a command that must succeed, and returns what it prints. */
    public String done(String... arguments) {
        CommandLineRun run = run(arguments);
        assertThat(run.exitCode()).as("%s: %s", List.of(arguments), run.err()).isEqualTo(Main.DONE);
        return run.out().strip();
    }

    /** The states of a volume's replicas. */
    public List<String> replicaStates(String volume) {
        List<?> replicas = (List<?>) JsonReader.read(done("volume", "replica", "list", volume, "--json"));
        return replicas.stream()
                .map(replica -> String.valueOf(((Map<?, ?>) replica).get("state")))
                .toList();
    }

    public Map<String, Object> volume(String name) {
        return JsonReader.readObject(done("volume", "get", name, "--json"));
    }
}
