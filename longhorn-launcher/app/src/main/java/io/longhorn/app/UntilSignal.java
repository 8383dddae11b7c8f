package io.longhorn.app;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs a server until SIGTERM or SIGINT, and then ends it cleanly, with exit code 0. */
final class UntilSignal {

    private final String command;
    private final AutoCloseable server;
    private final Duration limit;

    /**
     * @param command what the user called, for messages
     * @param limit for closing; after that the next start recovers, as after a crash
     */
    UntilSignal(String command, AutoCloseable server, Duration limit) {
        this.command = command;
        this.server = server;
        this.limit = limit;
    }

    /** From here on every way out of the process closes the server. */
    void arm() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "longhorn-stop"));
    }

    /** Never returns. */
    void await() throws InterruptedException {
        new CountDownLatch(1).await();
    }

    /**
     * Runs when the JVM shuts down, which waits for it. After a signal the JVM would end with the signal's own exit code;
     * but stopping was asked for, so done properly it is a success.
     */
    private void stop() {
        FutureTask<Void> close = new FutureTask<>(() -> {
            server.close();
            return null;
        });
        Thread closer = new Thread(close, "longhorn-close");
        closer.setDaemon(true);
        closer.start();
        int exitCode = Main.FAILED;
        try {
            close.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            exitCode = Main.DONE;
        } catch (TimeoutException e) {
            System.err.println(command + ": not stopped within " + limit.toSeconds()
                    + " s; the next start recovers as after a crash");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            System.err.println(command + ": not stopped cleanly: " + FailureLine.of(cause));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(exitCode);
    }
}
