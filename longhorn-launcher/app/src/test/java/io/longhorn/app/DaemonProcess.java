package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code longhorn serve}, or {@code longhorn replica}, in a process of its own. */
public final class DaemonProcess implements AutoCloseable {

    private static final Duration READY_LIMIT = Duration.ofSeconds(58);
    private static final long STOP_SECONDS = 40;

    private final Process process;
    private final Path output;

    private DaemonProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /**
     * A daemon that was started.
     *
     * @param log takes what it writes to standard error; appended to
     */
    public static DaemonProcess start(Path directory, Path log, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("serve", "--dir", directory.toString(), "--api", "127.0.0.1:0", "--stop-with-input"));
        arguments.addAll(List.of(more));
        return started(arguments, log);
    }

    /** A replica server. */
    public static DaemonProcess startReplica(Path disk, String listen, Path log) throws Exception {
        return started(List.of("replica", "--dir", disk.toString(), "--listen", listen, "--stop-with-input"), log);
    }

    private static DaemonProcess started(List<String> arguments, Path log) throws Exception {
        Path output = Files.createTempFile(log.toAbsolutePath().getParent(), "output", "");
        Process process = OwnProcess.builder(List.of(), arguments)
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        DaemonProcess daemon = new DaemonProcess(process, output);
        try {
            assertThat(Waiting.until(READY_LIMIT, () -> Files.size(output) > 0 || !process.isAlive()))
                    .isTrue();
            assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
            return daemon;
        } catch (Throwable e) {
            daemon.close();
            throw e;
        }
    }

    public List<String> output() throws IOException {
        return Files.readAllLines(output);
    }

    public String address() throws IOException {
        return output().get(0).substring(ReplicaCommand.LISTENING.length());
    }

    public String url() {
        try {
            return "http://" + address();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public long pid() {
        return process.pid();
    }

    /** SIGKILL. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** SIGTERM, and waits for a clean end. */
    public void stop() throws InterruptedException {
        process.destroy();
        assertThat(process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
