package io.longhorn.app.bench;

import io.longhorn.Durability;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.app.CleanUp;
import io.longhorn.app.ConnectionOptions;
import io.longhorn.app.Console;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.VersionCommand;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Measures all loads and baselines, run after run, and prints the table. Used by one thread. */
final class Bench {

    private static final int SERVERS = 3;
    private static final int REPLICAS = 3;
    private static final int FILL_BYTES = 256 << 10;
    private static final int FILL_DEPTH = 8;
    private static final Duration FILL_STEP_LIMIT = Duration.ofMinutes(1);
    private static final Duration WARM_UP_MAX = Duration.ofSeconds(2);

    private final BenchSettings settings;
    private final Console console;
    private final CleanUp cleanUp;
    private final List<BenchRow> rows = new ArrayList<>();
    private final BenchRow cachedRow = new BenchRow(BenchLoad.CACHED.title(), false);
    private final BenchBaselines baselines;

    Bench(BenchSettings settings, Console console, CleanUp cleanUp) {
        this.settings = settings;
        this.console = console;
        this.cleanUp = cleanUp;
        baselines = new BenchBaselines(settings.directory(), settings.sizeBytes(), settings.duration(), console);
        BenchLoad.ALL.forEach(load -> rows.add(new BenchRow(load.title(), false)));
    }

    /** Returns the results, for {@link Json}. */
    Map<String, Object> run() throws Exception {
        List<HostPort> endpoints = settings.endpoints();
        List<Long> pids = List.of();
        if (endpoints.isEmpty()) {
            ReplicaServers servers = cleanUp.add(ReplicaServers.start(settings.directory(), SERVERS));
            endpoints = servers.addresses();
            pids = servers.pids();
        }
        describe(endpoints);
        try (Longhorn longhorn = Longhorn.connect(config(endpoints, 0))) {
            measure(longhorn, endpoints, CpuMeter.ofSelfAnd(pids));
        }
        List<BenchRow> all = new ArrayList<>(rows);
        all.add(cachedRow);
        all.addAll(baselines.rows());
        console.line("");
        BenchTable.print(console, all);
        return json(all);
    }

    private void measure(Longhorn longhorn, List<HostPort> endpoints, CpuMeter cpu) throws Exception {
        String prefix = "bench-" + UUID.randomUUID().toString().substring(0, 8);
        Map<Durability, Volume> volumes = new EnumMap<>(Durability.class);
        String cachedName = prefix + "-cached";
        try {
            for (Durability durability : Durability.values()) {
                String name = prefix + "-" + durability.ordinal();
                volumes.put(durability, filled(longhorn, name, durability, settings.sizeBytes()));
            }
            try (Longhorn caching = Longhorn.connect(config(endpoints, 2 * cachedBytes()))) {
                try {
                    Volume cached = filled(caching, cachedName, Durability.ON_FLUSH, cachedBytes());
                    console.remark("warming up");
                    round(volumes, cached, cpu, -1, shorter(settings.duration(), WARM_UP_MAX));
                    for (int run = 0; run < settings.runs(); run++) {
                        console.remark("run " + (run + 1) + " of " + settings.runs());
                        round(volumes, cached, cpu, run, settings.duration());
                    }
                } finally {
                    remove(caching, cachedName);
                }
            }
        } finally {
            for (Durability durability : volumes.keySet()) {
                remove(longhorn, prefix + "-" + durability.ordinal());
            }
        }
    }

    /**
     * Runs every load once, and every baseline.
     *
     * @param run -1 for a warm-up, whose figures are dropped
     */
    private void round(Map<Durability, Volume> volumes, Volume cached, CpuMeter cpu, int run, Duration duration)
            throws Exception {
        for (int i = 0; i < BenchLoad.ALL.size(); i++) {
            BenchLoad load = BenchLoad.ALL.get(i);
            Volume volume = volumes.get(load.durability());
            if (volume == null) {
                throw new IllegalStateException("no volume for " + load.durability());
            }
            BenchFigures figures = new ClosedLoop(volume, load, settings.sizeBytes(), run).run(duration, cpu);
            if (run >= 0) {
                rows.get(i).add(figures);
            }
        }
        BenchFigures figures = new ClosedLoop(cached, BenchLoad.CACHED, cachedBytes(), run).run(duration, cpu);
        if (run >= 0) {
            cachedRow.add(figures);
            baselines.run();
        }
    }

    /** A small part of the volume, so that it stays in the cache whatever the admission policy does. */
    private long cachedBytes() {
        return Math.min(settings.sizeBytes(), 16L << 20);
    }

    private LonghornConfig config(List<HostPort> endpoints, long readCacheBytes) {
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(settings.registry()).readCacheBytes(readCacheBytes);
        endpoints.forEach(endpoint -> config.replicaServer(endpoint.toString()));
        ConnectionOptions connection = settings.connection();
        if (connection != null) {
            connection.token().ifPresent(config::token);
            connection.tls().ifPresent(tls -> config.tls(tls.certificate(), tls.key(), tls.authority()));
        }
        return config.build();
    }

    /** Every block is written, and read once, so that loads overwrite and read from the page cache. */
    private static Volume filled(Longhorn longhorn, String name, Durability durability, long sizeBytes)
            throws Exception {
        Volume volume = longhorn.create(VolumeSpec.named(name)
                .sizeBytes(sizeBytes)
                .replicas(REPLICAS)
                .durability(durability)
                .build());
        CompletableFuture<?>[] flights = new CompletableFuture<?>[FILL_DEPTH];
        byte[] content = new byte[FILL_BYTES];
        new SplittableRandom(1).nextBytes(content);
        for (int i = 0; (long) i * FILL_BYTES < sizeBytes; i++) {
            CompletableFuture<?> earlier = flights[i % FILL_DEPTH];
            if (earlier != null) {
                earlier.get(FILL_STEP_LIMIT.toSeconds(), TimeUnit.SECONDS);
            }
            long offset = (long) i * FILL_BYTES;
            int length = (int) Math.min(FILL_BYTES, sizeBytes - offset);
            flights[i % FILL_DEPTH] = volume.writeAsync(offset, ByteBuffer.wrap(content, 0, length))
                    .toCompletableFuture();
        }
        for (CompletableFuture<?> flight : flights) {
            if (flight != null) {
                flight.get(FILL_STEP_LIMIT.toSeconds(), TimeUnit.SECONDS);
            }
        }
        volume.flush();
        ByteBuffer buffer = ByteBuffer.allocateDirect(FILL_BYTES);
        for (long offset = 0; offset < sizeBytes; offset += FILL_BYTES) {
            volume.read(offset, buffer.clear().limit((int) Math.min(FILL_BYTES, sizeBytes - offset)));
        }
        return volume;
    }

    private static Duration shorter(Duration left, Duration right) {
        return left.compareTo(right) < 0 ? left : right;
    }

    private static void remove(Longhorn longhorn, String name) {
        if (longhorn.volumes().contains(name)) {
            longhorn.open(name).close();
            longhorn.delete(name);
        }
    }

    private void describe(List<HostPort> endpoints) throws IOException {
        describeMachine().forEach((what, value) -> console.line(what + ": " + value));
        console.line("replicas: " + REPLICAS + ", on "
                + endpoints.stream()
                        .map(HostPort::toString)
                        .reduce((left, right) -> left + ", " + right)
                        .orElse("none")
                + (settings.endpoints().isEmpty() ? " (started here, each a process of its own)" : " (given)"));
        console.line("engine: in this process, with the load; read cache off but for the row that names it");
        console.line("placement: " + baselines.placement());
        console.line("volumes: " + (settings.sizeBytes() >> 20) + " MiB, all of it written and read once before; "
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

    private Map<String, Object> json(List<BenchRow> all) throws IOException {
        Map<String, Object> json = describeMachine();
        json.put("placement", baselines.placement());
        json.put("replicas", REPLICAS);
        json.put("volumeBytes", settings.sizeBytes());
        json.put("runs", settings.runs());
        json.put("secondsPerRun", settings.duration().toMillis() / 1000.0);
        json.put(
                "rows",
                all.stream().filter(row -> !row.isEmpty()).map(BenchRow::toJson).toList());
        return json;
    }
}
