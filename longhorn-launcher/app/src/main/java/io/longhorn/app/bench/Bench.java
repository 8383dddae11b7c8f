package io.longhorn.app.bench;

import io.longhorn.HostPort;
import io.longhorn.app.CleanUp;
import io.longhorn.app.Console;
import io.longhorn.app.Json;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.VersionCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Measures what the settings name, run after run, and prints the tables. Used by one thread. */
final class Bench {

    private static final int SERVERS = 3;

    private final BenchSettings settings;
    private final Console console;
    private final CleanUp cleanUp;
    private final Loads loads;
    private final Map<Measure, List<Measurement>> measurements;

    Bench(BenchSettings settings, Console console, CleanUp cleanUp) {
        this.settings = settings;
        this.console = console;
        this.cleanUp = cleanUp;
        loads = new Loads(settings, console);
        long bytes = settings.sizeBytes();
        measurements = Map.of(
                Measure.LOADS,
                List.of(),
                Measure.EVENTS,
                List.of(
                        new WritePauses(),
                        new Rebuilds(bytes),
                        new SnapshotDeletion(bytes),
                        new CatchUp(settings.duration()),
                        new SideBySide()),
                Measure.SCALE,
                List.of(new LargeVolume(), new IdleVolumes()),
                Measure.BACKUPS,
                List.of(new BackupSpeed(bytes)),
                Measure.FRONTENDS,
                List.of(new FrontendSpeed(bytes, settings.duration()), new IdleDaemon()));
    }

    /** Returns the results, for {@link Json}. */
    Map<String, Object> run() throws Exception {
        Optional<ReplicaServers> ownServers = settings.endpoints().isEmpty()
                ? Optional.of(cleanUp.add(ReplicaServers.start(settings.directory(), SERVERS)))
                : Optional.empty();
        try (BenchSite site = new BenchSite(settings, console, ownServers)) {
            describe(site);
            for (Measure measure : settings.measures()) {
                run(site, measure);
            }
        }
        return json();
    }

    private void run(BenchSite site, Measure measure) throws Exception {
        if (measure == Measure.LOADS) {
            loads.run(site);
            console.line("");
            BenchTable.print(console, loads.rows());
            return;
        }
        List<Measurement> chosen = chosen(measure);
        try {
            for (int run = 1; run <= settings.runs(); run++) {
                for (Measurement measurement : chosen) {
                    console.remark(measure + ": run " + run + " of " + settings.runs() + ": " + measurement.title());
                    measurement.run(site);
                }
            }
        } finally {
            // What was measured before something failed is worth minutes.
            chosen.forEach(measurement -> FigureTable.print(console, measurement));
        }
    }

    private List<Measurement> chosen(Measure measure) {
        return measurements.getOrDefault(measure, List.of());
    }

    private void describe(BenchSite site) throws IOException {
        describeMachine().forEach((what, value) -> console.line(what + ": " + value));
        String servers = site.endpoints().stream().map(HostPort::toString).collect(Collectors.joining(", "));
        console.line("replicas: " + BenchSite.REPLICAS + ", on " + servers
                + (settings.endpoints().isEmpty() ? " (started here, each a process of its own)" : " (given)"));
        console.line("engine: in this process, with the load; read cache off but for the row that names it");
        console.line("placement: " + loads.placement());
        console.line(
                "volumes under load: " + (settings.sizeBytes() >> 20) + " MiB, all of it written and read once before; "
                        + settings.runs() + " runs, " + settings.duration().toMillis() / 1000.0
                        + " s each, after a warm-up");
        if (!settings.endpoints().isEmpty()) {
            console.line("CPU: of this process alone, the servers are elsewhere");
        }
    }

    private Map<String, Object> describeMachine() throws IOException {
        Map<String, Object> machine = new LinkedHashMap<>();
        machine.put(
                "machine",
                Runtime.getRuntime().availableProcessors() + " cores, "
                        + System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"));
        machine.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
        machine.put(
                "files",
                settings.directory() + " on "
                        + Files.getFileStore(settings.directory()).type());
        machine.put("version", VersionCommand.Version.line());
        return machine;
    }

    private Map<String, Object> json() throws IOException {
        Map<String, Object> json = describeMachine();
        json.put("placement", loads.placement());
        json.put("replicas", BenchSite.REPLICAS);
        json.put("volumeBytes", settings.sizeBytes());
        json.put("runs", settings.runs());
        json.put("secondsPerRun", settings.duration().toMillis() / 1000.0);
        json.put(
                "rows",
                loads.rows().stream()
                        .filter(row -> !row.isEmpty())
                        .map(BenchRow::toJson)
                        .toList());
        for (Measure measure : settings.measures()) {
            if (measure != Measure.LOADS) {
                json.put(
                        measure.toString(),
                        chosen(measure).stream().map(Bench::toJson).toList());
            }
        }
        return json;
    }

    private static Map<String, Object> toJson(Measurement measurement) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("title", measurement.title());
        json.put(
                "figures",
                measurement.figures().stream()
                        .filter(figure -> !figure.isEmpty())
                        .map(Figure::toJson)
                        .toList());
        return json;
    }
}
