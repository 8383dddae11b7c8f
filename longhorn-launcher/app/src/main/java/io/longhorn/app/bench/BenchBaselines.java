package io.longhorn.app.bench;

import io.longhorn.app.Console;
import io.longhorn.app.ExternalTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the machine does without us, measured between the runs of the loads. Used by one thread. */
final class BenchBaselines {

    private static final int RAW_DEPTH = 32;
    private static final int BULK_SERVERS = 3;

    private final Path directory;
    private final long fileBytes;
    private final Duration duration;
    private final Console console;
    private final Optional<ExternalTool> taskset;

    private final BenchRow tcp;
    private final BenchRow raw = new BenchRow("raw file, 4k random write, O_DIRECT, depth 1", true);
    private final BenchRow rawDeep = new BenchRow("raw file, 4k random write, O_DIRECT, depth " + RAW_DEPTH, true);
    private final BenchRow rawSync = new BenchRow("raw file, 4k write + fdatasync, depth 1", true);
    private final BenchRow bulkWrite = new BenchRow("bulk floor, 128k write, depth 8", true);
    private final BenchRow bulkRead = new BenchRow("bulk floor, 128k read, depth 8", true);

    /**
     * @param directory for files of this size; on the disk that is measured
     * @param duration of each measurement
     */
    BenchBaselines(Path directory, long fileBytes, Duration duration, Console console) {
        this.directory = directory;
        this.fileBytes = fileBytes;
        this.duration = duration;
        this.console = console;
        taskset = Runtime.getRuntime().availableProcessors() > 1 ? ExternalTool.find("taskset") : Optional.empty();
        tcp = new BenchRow(
                "bare TCP round trip, 4k / 16 B, " + (taskset.isPresent() ? "two cores" : "not bound"), true);
    }

    List<BenchRow> rows() {
        return List.of(tcp, raw, rawDeep, rawSync, bulkWrite, bulkRead);
    }

    String placement() {
        return taskset.isPresent()
                ? "bare TCP: client bound to core 0, server to core 1; nothing else is bound to a core"
                : "no process is bound to a core";
    }

    void run() throws Exception {
        runTcp();
        runRaw();
        runBulk();
    }

    private void runTcp() throws IOException {
        try (BenchPart server = BenchPart.start(onCore(1), List.of("tcp-server"))) {
            List<String> client = List.of(
                    "tcp-client",
                    "--port",
                    Integer.toString(server.port()),
                    "--millis",
                    Long.toString(duration.toMillis()));
            try (BenchPart caller = BenchPart.start(onCore(0), client)) {
                tcp.add(BenchPart.fromLine(caller.line()));
            }
        }
    }

    private void runRaw() throws Exception {
        Path file = directory.resolve("raw");
        try (RawFile rawFile = RawFile.create(file, fileBytes)) {
            raw.add(rawFile.write(1, false, duration));
            rawDeep.add(rawFile.write(RAW_DEPTH, false, duration));
            rawSync.add(rawFile.write(1, true, duration));
        } catch (UnsupportedOperationException e) {
            console.remark("the file system of " + directory + " has no direct I/O, so the raw file is not measured");
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private void runBulk() throws IOException {
        List<BenchPart> servers = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        try {
            List<Integer> ports = new ArrayList<>();
            for (int server = 0; server < BULK_SERVERS; server++) {
                Path file = directory.resolve("bulk-" + server);
                files.add(file);
                BenchPart part = BenchPart.start(
                        List.of(),
                        List.of("bulk-server", "--file", file.toString(), "--bytes", Long.toString(fileBytes)));
                servers.add(part);
                ports.add(part.port());
            }
            try (BulkFloor floor = new BulkFloor(ports, fileBytes)) {
                bulkWrite.add(floor.write(duration));
                bulkRead.add(floor.read(duration));
            }
        } finally {
            servers.forEach(BenchPart::close);
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        }
    }

    private List<String> onCore(int core) {
        return taskset.map(tool -> List.of(tool.file().toString(), "-c", Integer.toString(core)))
                .orElse(List.of());
    }
}
