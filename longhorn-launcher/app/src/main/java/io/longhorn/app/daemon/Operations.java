package io.longhorn.app.daemon;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Work that takes longer than a caller waits: backups, restores, verifications. Any thread. */
final class Operations implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Operations.class);

    /** Each mostly waits for a target; the transfer itself has workers of its own. */
    private static final int RUNNING_MAX = 4;

    private static final int WAITING_MAX = 64;

    /** Ended ones are remembered for a look back. */
    private static final int KEPT_MAX = 256;

    private static final long STOP_SECONDS = 10;

    private final EventLog events;
    private final ThreadPoolExecutor threads;
    private final LinkedHashMap<String, Operation> known = new LinkedHashMap<>();

    /** What is done; told how far it is by calling back. */
    interface Work {
        /** Returns what the operation's result shall say. An interrupt asks it to end. */
        Map<String, Object> run(Operation operation) throws InterruptedException;
    }

    enum State {
        WAITING,
        RUNNING,
        DONE,
        FAILED,
        CANCELLED
    }

    /** One piece of work. */
    static final class Operation {
        private final String id = UUID.randomUUID().toString();
        private final String kind;
        private final String volume;
        private final Instant createdAt = Instant.now();
        private @Nullable Instant endedAt;
        private State state = State.WAITING;
        private long doneBytes;
        private long totalBytes;
        private Map<String, Object> result = Map.of();
        private @Nullable Throwable failure;
        private @Nullable Future<?> future;
        private boolean cancelled;

        private Operation(String kind, String volume) {
            this.kind = kind;
            this.volume = volume;
        }

        String id() {
            return id;
        }

        /**
         * Remembers how far it is.
         *
         * @throws CancellationException if it shall end
         */
        synchronized void progress(long done, long total) {
            doneBytes = done;
            totalBytes = total;
            if (cancelled) {
                throw new CancellationException("cancelled");
            }
        }

        synchronized State state() {
            return state;
        }

        private synchronized boolean start() {
            if (cancelled) {
                return false;
            }
            state = State.RUNNING;
            return true;
        }

        private synchronized void end(State how, Map<String, Object> with, @Nullable Throwable why) {
            state = how;
            result = with;
            failure = why;
            endedAt = Instant.now();
        }

        private synchronized boolean hasEnded() {
            return endedAt != null;
        }

        synchronized Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("id", id);
            json.put("kind", kind);
            json.put("volume", volume);
            json.put("state", Words.of(state));
            json.put("createdAt", createdAt.toString());
            if (endedAt != null) {
                json.put("endedAt", endedAt.toString());
            }
            json.put("doneBytes", doneBytes);
            json.put("totalBytes", totalBytes);
            if (!result.isEmpty()) {
                json.put("result", result);
            }
            if (failure != null) {
                json.put("problem", Problem.of(failure).json());
            }
            return json;
        }
    }

    Operations(EventLog events) {
        this.events = events;
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(
                RUNNING_MAX, RUNNING_MAX, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WAITING_MAX), task -> {
                    Thread thread = new Thread(task, "longhorn-operation-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /**
     * Begins work.
     *
     * @param kind such as {@code backup}
     * @param volume what it is about; empty if it is about none
     * @throws ApiException if too much waits already
     */
    Operation begin(String kind, String volume, Work work) {
        Operation operation = new Operation(kind, volume);
        synchronized (known) {
            forgetOldest();
            known.put(operation.id(), operation);
            try {
                operation.future = threads.submit(() -> run(operation, work));
            } catch (RejectedExecutionException e) {
                known.remove(operation.id());
                throw new ApiException(
                        503, "TOO_MANY_OPERATIONS", WAITING_MAX + " operations wait already; try again later");
            }
        }
        return operation;
    }

    private void run(Operation operation, Work work) {
        if (!operation.start()) {
            return;
        }
        try {
            Map<String, Object> result = work.run(operation);
            operation.end(State.DONE, result, null);
        } catch (CancellationException | InterruptedException e) {
            operation.end(State.CANCELLED, Map.of(), null);
        } catch (RuntimeException e) {
            operation.end(State.FAILED, Map.of(), e);
            LOG.info("operation failed: kind={} volume={} cause={}", operation.kind, operation.volume, e.toString());
        }
        events.tell(
                "OperationEnded",
                operation.volume,
                Map.of("operation", operation.id(), "kind", operation.kind, "state", Words.of(operation.state())));
    }

    private void forgetOldest() {
        List<String> ended = new ArrayList<>();
        known.forEach((id, operation) -> {
            if (operation.hasEnded()) {
                ended.add(id);
            }
        });
        for (int i = 0; i <= ended.size() - KEPT_MAX; i++) {
            known.remove(ended.get(i));
        }
    }

    /** Oldest first. */
    List<Operation> all() {
        synchronized (known) {
            return List.copyOf(known.values());
        }
    }

    Optional<Operation> find(String id) {
        synchronized (known) {
            return Optional.ofNullable(known.get(id));
        }
    }

    /** Has it end soon; one that has ended stays as it is. */
    void cancel(Operation operation) {
        Future<?> future;
        synchronized (operation) {
            operation.cancelled = true;
            future = operation.future;
            if (operation.state == State.WAITING) {
                operation.end(State.CANCELLED, Map.of(), null);
            }
        }
        if (future != null) {
            future.cancel(true);
        }
    }

    /** Cancels what runs, and waits for that. */
    @Override
    public void close() {
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("operations did not end within {} s", STOP_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
