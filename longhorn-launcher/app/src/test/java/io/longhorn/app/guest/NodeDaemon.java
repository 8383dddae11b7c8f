package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.DaemonCommands;
import io.longhorn.app.DaemonProcess;
import io.longhorn.app.JsonReader;
import io.longhorn.app.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

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
            daemon.commands().done("volume", "create", VOLUME, "--size", size, "--replicas", "2");
            return daemon;
        } catch (Throwable e) {
            daemon.close();
            throw e;
        }
    }

    private static DaemonProcess process(Path directory) throws Exception {
        return DaemonProcess.start(directory.resolve("daemon"), directory.resolve("log"));
    }

    private DaemonCommands commands() {
        return new DaemonCommands(process);
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
        return commands().done("volume", "attach", VOLUME, "--frontend", frontend, "--listen", listen);
    }

    void detach() {
        commands().done("volume", "detach", VOLUME);
    }

    /**
     * Waits until the volume's data takes no more than this on each replica: what is discarded counts once the journal
     * has gone to the replica's files. Leaves a snapshot behind, which is how a user learns of space.
     */
    void awaitSpaceBytesBelow(long bytesMax) throws Exception {
        commands().done("snapshot", "create", VOLUME, "space");
        boolean given = Waiting.until(SPACE_LIMIT, () -> spaceBytes() < bytesMax);
        assertThat(given).as("%s bytes are taken", spaceBytes()).isTrue();
    }

    private long spaceBytes() {
        List<?> snapshots = (List<?>) JsonReader.read(commands().done("snapshot", "list", VOLUME, "--json"));
        assertThat(snapshots).hasSize(1);
        return Long.parseLong(String.valueOf(((Map<?, ?>) snapshots.get(0)).get("actualBytes")));
    }

    @Override
    public void close() {
        process.close();
    }
}
