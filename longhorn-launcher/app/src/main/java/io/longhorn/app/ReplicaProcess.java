package io.longhorn.app;

import io.longhorn.HostPort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A replica server in a process of its own, started by {@code longhorn replica}. It holds our end of its standard input
 * and stops when that closes, so it never outlives this process, however that ends.
 */
final class ReplicaProcess implements AutoCloseable {

    /** JVM start, recovery of a journal, and a machine that is busy with other servers. */
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);

    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);

    private final Process process;
    private final HostPort address;

    private ReplicaProcess(Process process, HostPort address) {
        this.process = process;
        this.address = address;
    }

    /**
     * Starts a server and waits until it listens.
     *
     * @param disks one directory per disk
     * @param listen where; port 0 for any free one
     * @param log takes what the server writes to standard error; appended to
     */
    static ReplicaProcess start(List<Path> disks, HostPort listen, Path log) throws InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("replica", "--stop-with-input", "--verbose"));
        disks.forEach(disk -> arguments.addAll(List.of("--dir", disk.toString())));
        arguments.addAll(List.of("--listen", listen.toString()));
        Process process;
        try {
            process = OwnProcess.builder(List.of(), arguments)
                    .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException e) {
            throw new CommandFailure("cannot start a replica server: " + e.getMessage(), e);
        }
        try {
            return new ReplicaProcess(process, awaitListening(process, log));
        } catch (Throwable e) {
            process.destroyForcibly();
            throw e;
        }
    }

    HostPort address() {
        return address;
    }

    long pid() {
        return process.pid();
    }

    /** SIGKILL: no shutdown hook, nothing flushed. Returns when the process is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /**
     * SIGTERM; returns when the process has ended.
     *
     * @throws CommandFailure if it did not end in time or not with exit code 0
     */
    void stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
            kill();
            throw new CommandFailure("replica server " + address + " did not stop within " + STOP_LIMIT.toSeconds()
                    + " s and was killed");
        }
        if (process.exitValue() != 0) {
            throw new CommandFailure("replica server " + address + " ended with exit code " + process.exitValue());
        }
    }

    /**
     * Sends a signal.
     *
     * @param name without SIG
     */
    void signal(String name) throws InterruptedException {
        try {
            // The shell's own kill, which is everywhere.
            int exitCode = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid())
                    .inheritIO()
                    .start()
                    .waitFor();
            if (exitCode != 0) {
                throw new CommandFailure("cannot send " + name + " to replica server " + address);
            }
        } catch (IOException e) {
            throw new CommandFailure("cannot send a signal: " + e.getMessage(), e);
        }
    }

    /** Kills it if it still runs. Does not wait. */
    @Override
    public void close() {
        process.destroyForcibly();
    }

    private static HostPort awaitListening(Process process, Path log) throws InterruptedException {
        CompletableFuture<String> line = new CompletableFuture<>();
        Thread reader = new Thread(() -> readOutput(process, line), "longhorn-output-" + process.pid());
        reader.setDaemon(true);
        reader.start();
        try {
            return parse(line.get(READY_LIMIT.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            throw new CommandFailure(
                    "a replica server did not listen within " + READY_LIMIT.toSeconds() + " s; its last words: "
                            + lastLine(log),
                    e);
        } catch (ExecutionException e) {
            throw new CommandFailure("a replica server ended at once; its last words: " + lastLine(log), e);
        }
    }

    /** Reads to the end, so that the server never waits for room in the pipe. */
    private static void readOutput(Process process, CompletableFuture<String> firstLine) {
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                firstLine.complete(line);
            }
            firstLine.completeExceptionally(new IOException("end of output"));
        } catch (IOException e) {
            firstLine.completeExceptionally(e);
        }
    }

    private static HostPort parse(String line) {
        if (!line.startsWith(ReplicaCommand.LISTENING)) {
            throw new CommandFailure("a replica server said \"" + line + "\" instead of where it listens");
        }
        return HostPort.parse(line.substring(ReplicaCommand.LISTENING.length()));
    }

    private static String lastLine(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return lines.isEmpty() ? "none" : lines.get(lines.size() - 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
