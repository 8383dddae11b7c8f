package io.longhorn.frontend.device;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Does the same with many devices. With each it mostly waits: for the kernel, for a command, for those who look at it. */
final class SideBySide {

    /** How many at the same time. */
    static final int THREADS_MAX = 16;

    private SideBySide() {}

    /**
     * Returns when it was tried with all.
     *
     * @throws RuntimeException what the first one that failed threw, in the order of the names, with those of the others suppressed
     */
    static void run(List<String> names, Consumer<String> action) throws InterruptedException {
        if (names.isEmpty()) {
            return;
        }
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(THREADS_MAX, names.size()), task -> {
            Thread thread = new Thread(task, "longhorn-device-side");
            thread.setDaemon(true);
            return thread;
        });
        try {
            throwFirst(threads.invokeAll(
                    names.stream().map(name -> attempt(name, action)).toList()));
        } finally {
            threads.shutdown();
        }
    }

    private static Callable<Optional<RuntimeException>> attempt(String name, Consumer<String> action) {
        return () -> {
            try {
                action.accept(name);
                return Optional.empty();
            } catch (RuntimeException e) {
                return Optional.of(e);
            }
        };
    }

    private static void throwFirst(List<Future<Optional<RuntimeException>>> outcomes) throws InterruptedException {
        Optional<RuntimeException> first = Optional.empty();
        for (Future<Optional<RuntimeException>> outcome : outcomes) {
            Optional<RuntimeException> failure = get(outcome);
            if (first.isEmpty()) {
                first = failure;
            } else {
                failure.ifPresent(first.get()::addSuppressed);
            }
        }
        if (first.isPresent()) {
            throw first.get();
        }
    }

    private static Optional<RuntimeException> get(Future<Optional<RuntimeException>> outcome)
            throws InterruptedException {
        try {
            return outcome.get();
        } catch (ExecutionException e) {
            // Only errors of the JVM get here.
            throw new IllegalStateException(e.getCause());
        }
    }
}
