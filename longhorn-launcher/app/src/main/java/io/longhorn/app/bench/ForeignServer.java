package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.ExternalTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A server that others wrote, as a baseline: started here, and stopped when this is closed. Used by one thread. */
final class ForeignServer implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final long LOOK_MILLIS = 5;

    private final Process process;

    private ForeignServer(Process process) {
        this.process = process;
    }

    /**
     * Starts it and waits until it is ready.
     *
     * @param ready whether it is; asked again and again
     */
    static ForeignServer start(
            Path log, BooleanSupplier ready, String tool, String debianPackage, List<String> arguments)
            throws InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(ExternalTool.require(tool, debianPackage).file().toString());
        command.addAll(arguments);
        ForeignServer server;
        try {
            server = new ForeignServer(new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start());
        } catch (IOException e) {
            throw new CommandFailure("cannot start " + tool + ": " + e.getMessage(), e);
        }
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!ready.getAsBoolean()) {
            if (server.process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS) || System.nanoTime() > end) {
                server.close();
                throw new CommandFailure(tool + " did not get ready; it said: " + said(log));
            }
        }
        return server;
    }

    private static String said(Path log) {
        try {
            return Files.readString(log).strip();
        } catch (IOException e) {
            return "nothing that can be read (" + e.getMessage() + ")";
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
