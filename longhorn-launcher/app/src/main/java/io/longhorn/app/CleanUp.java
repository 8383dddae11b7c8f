package io.longhorn.app;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What a command has to give back when it ends: processes, connections, directories. Given back in reverse order, when
 * it is closed, or when a signal ends the program first. Safe to use from several threads.
 */
public final class CleanUp implements AutoCloseable {

    private final Deque<AutoCloseable> things = new ArrayDeque<>();
    private final Thread hook = new Thread(this::closeQuietly, "longhorn-clean-up");
    private boolean closed;

    public CleanUp() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Takes over; if this is closed already, the thing is closed at once. */
    public synchronized <T extends AutoCloseable> T add(T thing) {
        if (closed) {
            closeOne(thing, null);
            throw new CommandFailure("interrupted");
        }
        things.push(thing);
        return thing;
    }

    /** Keeps the first failure and goes on with the rest. Does nothing the second time. */
    @Override
    public void close() {
        Throwable failure = closeAll();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is ending by a signal; the hook finds nothing left to do.
            closed = true;
        }
        if (failure instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw new CommandFailure("cannot clean up: " + failure.getMessage(), failure);
        }
    }

    private void closeQuietly() {
        Throwable failure = closeAll();
        if (failure != null) {
            System.err.println("longhorn: " + FailureLine.of(failure));
        }
    }

    private synchronized @Nullable Throwable closeAll() {
        closed = true;
        Throwable failure = null;
        while (!things.isEmpty()) {
            failure = closeOne(things.pop(), failure);
        }
        return failure;
    }

    private static @Nullable Throwable closeOne(AutoCloseable thing, @Nullable Throwable earlier) {
        try {
            thing.close();
            return earlier;
        } catch (Exception e) {
            if (earlier == null) {
                return e;
            }
            earlier.addSuppressed(e);
            return earlier;
        }
    }
}
