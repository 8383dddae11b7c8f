package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.CommandLineRun;
import io.longhorn.app.DaemonProcess;
import io.longhorn.app.JsonReader;
import io.longhorn.app.Main;
import io.longhorn.app.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** {@code longhorn serve} with one volume, that can be killed and come back, and the command line of its user. */
final class NodeDaemon implements AutoCloseable {

    static final String VOLUME = "disk";

    private static final Duration SPACE_LIMIT = Duration.ofSeconds(40);

    private final Path directory;
    private DaemonProcess process;

    private NodeDaemon(Path directory, DaemonProcess process) {
        this.directory = directory;
        this.process = process;
    }

    /** A daemon with a volume that nobody uses yet. */
    static NodeDaemon start(Path directory, String size) throws Exception {
        NodeDaemon daemon = new NodeDaemon(directory, process(directory));
        try {
            daemon.command("volume", "create", VOLUME, "--size", size, "--replicas", "2");
            return daemon;
        } catch (Throwable e) {
            daemon.close();
            throw e;
        }
    }

    private static DaemonProcess process(Path directory) throws Exception {
        return DaemonProcess.start(directory.resolve("daemon"), directory.resolve("log"));
    }

    /** Kills it with SIGKILL. */
    void kill() throws InterruptedException {
        process.kill();
    }

    /** Starts it again, on the same directory. */
    void startAgain() throws Exception {
        process = process(directory);
    }

    /** Attaches the volume; the answer is its address. */
    String attach(String frontend, String listen) {
        return command("volume", "attach", VOLUME, "--frontend", frontend, "--listen", listen)
                .strip();
    }

    void detach() {
        command("volume", "detach", VOLUME);
    }

    /**
     * Waits until the volume's data takes no more than this on each replica: what is discarded counts once the journal
     * has gone to the replica's files. Leaves a snapshot behind, which is how a user learns of space.
     */
    void awaitSpaceBytesBelow(long bytesMax) throws Exception {
        command("snapshot", "create", VOLUME, "space");
        boolean given = Waiting.until(SPACE_LIMIT, () -> spaceBytes() < bytesMax);
        assertThat(given).as("%s bytes are taken", spaceBytes()).isTrue();
    }

    private long spaceBytes() {
        List<?> snapshots = (List<?>) JsonReader.read(command("snapshot", "list", VOLUME, "--json"));
        assertThat(snapshots).hasSize(1);
        return Long.parseLong(String.valueOf(((Map<?, ?>) snapshots.get(0)).get("actualBytes")));
    }

    private String command(String... arguments) {
        CommandLineRun run = CommandLineRun.of(Stream.concat(Stream.of("--api", process.url()), Stream.of(arguments))
                .toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(Main.DONE);
        return run.out();
    }

    @Override
    public void close() {
        process.close();
    }
}
