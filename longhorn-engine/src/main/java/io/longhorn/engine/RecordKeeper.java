package io.longhorn.engine;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The engine's hand on its volume's registry record: one change at a time, in order, and certain. While the outcome of a change is unknown
 * it re-reads until it knows, before anything else. Finds out when a newer engine has taken the volume. Engine loop only.
 */
final class RecordKeeper {

    /** Told that the record now belongs to somebody else, or is gone. */
    interface Owner {
        void onTakenOver(long newerEpoch);
    }

    private static final long RETRY_NANOS = 50_000_000;

    private final Loop loop;
    private final Registry registry;
    private final Owner owner;
    private final ArrayDeque<Change> waiting = new ArrayDeque<>();
    private VolumeRecord record;
    private @Nullable Change running;
    private @Nullable VolumeRecord attempted;
    private boolean stopped;
    private boolean checking;

    private record Change(UnaryOperator<VolumeRecord> change, Consumer<VolumeRecord> done) {}

    RecordKeeper(Loop loop, Registry registry, VolumeRecord record, Owner owner) {
        this.loop = loop;
        this.registry = registry;
        this.record = record;
        this.owner = owner;
    }

    /** The newest record known to be durable. */
    VolumeRecord record() {
        return record;
    }

    /** Whether a change is under way or waits, so that the durable record may be newer than {@link #record}. */
    boolean isChanging() {
        return running != null || !waiting.isEmpty();
    }

    /** Stops; changes that wait are dropped, and nothing is told any more. */
    void stop() {
        stopped = true;
        waiting.clear();
    }

    /**
     * Applies {@code change} to the newest record and makes the result durable, then tells {@code done}. A change that returns its argument
     * needs no registry. Retried for ever while the registry fails; the caller bounds the waiting of its operations.
     */
    void change(UnaryOperator<VolumeRecord> change, Consumer<VolumeRecord> done) {
        waiting.add(new Change(change, done));
        runNext();
    }

    /** Re-reads the record, unless a change is doing that anyway, to learn of a newer engine. */
    void check() {
        if (checking || isChanging() || stopped) {
            return;
        }
        checking = true;
        ask(
                registry.read(record.name()),
                found -> {
                    checking = false;
                    if (running == null && isAnothers(found)) {
                        takenOver(found);
                    }
                },
                () -> checking = false);
    }

    private void runNext() {
        while (running == null && !stopped) {
            Change next = waiting.poll();
            if (next == null) {
                return;
            }
            running = next;
            attempt();
        }
    }

    private void attempt() {
        Change change = running;
        if (change == null) {
            return;
        }
        VolumeRecord next = change.change().apply(record);
        if (next.version() == record.version()) {
            running = null;
            change.done().accept(record);
            return;
        }
        attempted = next;
        ask(registry.compareAndSet(next), swap -> settle(swap.current()), this::readAgainLater);
    }

    /** The registry's present record is known: did our change make it? */
    private void settle(Optional<VolumeRecord> current) {
        VolumeRecord ours = attempted;
        Change change = running;
        if (ours == null || change == null) {
            return;
        }
        if (current.isPresent() && current.get().equals(ours)) {
            record = ours;
            attempted = null;
            running = null;
            change.done().accept(ours);
            runNext();
        } else if (isAnothers(current)) {
            takenOver(current);
        } else {
            record = current.orElseThrow();
            attempt();
        }
    }

    private boolean isAnothers(Optional<VolumeRecord> found) {
        return found.isEmpty()
                || found.get().epoch() != record.epoch()
                || !found.get().engineId().equals(record.engineId());
    }

    private void takenOver(Optional<VolumeRecord> found) {
        stop();
        running = null;
        attempted = null;
        owner.onTakenOver(found.map(VolumeRecord::epoch).orElse(record.epoch()));
    }

    private void readAgainLater() {
        loop.schedule(RETRY_NANOS, this::readAgain);
    }

    private void readAgain() {
        if (!stopped) {
            ask(registry.read(record.name()), this::settle, this::readAgainLater);
        }
    }

    private <T> void ask(CompletionStage<T> stage, Consumer<T> answer, Runnable failed) {
        stage.whenComplete((value, failure) -> loop.execute(() -> {
            if (stopped) {
                return;
            }
            if (failure == null) {
                answer.accept(value);
            } else {
                failed.run();
            }
        }));
    }
}
