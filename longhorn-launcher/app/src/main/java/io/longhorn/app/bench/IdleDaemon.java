package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.DaemonClient;
import io.longhorn.app.OwnProcess;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.ScratchDirectory;
import io.longhorn.app.Waiting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * What a daemon costs that shows many volumes which nobody uses, in turn by each frontend, with their replicas in other processes. It is looked at after it was started again with all
 * of them attached, as a machine's daemon is.
 */
final class IdleDaemon implements Measurement {

    private static final int VOLUMES = 500;
    private static final long SIZE_BYTES = 1L << 30;
    private static final List<String> FRONTENDS = List.of("nbd", "iscsi", "device");

    /** As our service for systemd has it. */
    private static final List<String> JVM_FLAGS = List.of("-Xmx1g");

    /** Processor time is counted in steps of 10 ms, and a hundredth of a core shall be seen. */
    private static final Duration WATCHED = Duration.ofSeconds(20);

    private final Figure attach = new Figure("create and attach all", "s");
    private final Figure start = new Figure("start again with all attached", "s");
    private final Figure resident = new Figure("resident memory of the daemon", "MiB", "below 1,536");
    private final Figure core = new Figure("processor time of the daemon, of one core", "%", "below 2");
    private final Figure threads = new Figure("threads of the daemon", "threads");
    private final Figure descriptors = new Figure("open descriptors of the daemon", "files");
    private final Figure stop = new Figure("stop", "s");

    @Override
    public String title() {
        return String.format(
                Locale.ROOT, "a daemon with %,d attached idle volumes, %d replicas each", VOLUMES, BenchSite.REPLICAS);
    }

    @Override
    public List<Figure> figures() {
        return List.of(attach, start, resident, core, threads, descriptors, stop);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        Path directory = Files.createDirectory(site.settings().directory().resolve("idle-daemon"));
        try (ReplicaServers replicas = ReplicaServers.start(directory, BenchSite.REPLICAS)) {
            try (Served daemon = serve(directory, replicas)) {
                long begin = System.nanoTime();
                for (int number = 0; number < VOLUMES; number++) {
                    attach(daemon.client(), "idle-" + number, FRONTENDS.get(number % FRONTENDS.size()));
                }
                attach.add(secondsSince(begin));
                daemon.stop();
            }
            long begin = System.nanoTime();
            try (Served daemon = serve(directory, replicas)) {
                daemon.awaitAllAttached();
                start.add(secondsSince(begin));
                look(daemon.process().pid());
                begin = System.nanoTime();
                daemon.stop();
                stop.add(secondsSince(begin));
            }
        }
        ScratchDirectory.delete(directory);
    }

    private static void attach(DaemonClient daemon, String volume, String frontend) {
        daemon.post("/v1/volumes", Map.of("name", volume, "sizeBytes", SIZE_BYTES, "replicas", BenchSite.REPLICAS));
        daemon.post("/v1/volumes/" + volume + "/attach", Map.of("frontend", frontend));
    }

    private void look(long pid) throws IOException, InterruptedException {
        CpuMeter cpu = CpuMeter.of(List.of(pid));
        new Settling(cpu).awaitQuiet();
        long before = cpu.nanos();
        Thread.sleep(WATCHED.toMillis());
        core.add(100.0 * (cpu.nanos() - before) / WATCHED.toNanos());
        ProcessFigures process = ProcessFigures.of(pid);
        resident.add(process.residentMebibytes());
        threads.add(process.threads());
        descriptors.add(process.descriptors());
    }

    private static double secondsSince(long beginNanos) {
        return (System.nanoTime() - beginNanos) / 1e9;
    }

    private static Served serve(Path directory, ReplicaServers replicas) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "serve", "--dir", directory.resolve("daemon").toString(), "--api", "127.0.0.1:0", "--stop-with-input"));
        replicas.addresses().forEach(server -> arguments.addAll(List.of("--replica-server", server.toString())));
        Process process = OwnProcess.builder(List.of(), JVM_FLAGS, arguments)
                .redirectError(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("daemon.log").toFile()))
                .start();
        try {
            BufferedReader output =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
            String line = output.readLine();
            if (line == null) {
                throw new CommandFailure("the daemon did not start; see " + directory.resolve("daemon.log"));
            }
            URI api = URI.create("http://" + line.substring(line.indexOf(' ') + 1));
            return new Served(process, new DaemonClient(api, Optional.empty(), Optional.empty()));
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** A daemon that runs, and its client. */
    private record Served(Process process, DaemonClient client) implements AutoCloseable {

        void awaitAllAttached() throws Exception {
            if (!Waiting.until(BenchSite.LIMIT, this::isAllAttached)) {
                throw new CommandFailure("the daemon did not attach all volumes again");
            }
        }

        private boolean isAllAttached() {
            return client.list("/v1/volumes").stream().allMatch(volume -> "attached".equals(volume.get("state")));
        }

        /** SIGTERM, and waits for its end. */
        void stop() throws InterruptedException {
            process.destroy();
            if (!process.waitFor(BenchSite.LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new CommandFailure("the daemon did not stop");
            }
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
