package io.longhorn.engine;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * The small shared state of a cluster: one {@link VolumeRecord} per volume, changed by compare-and-set. Everything an engine must agree on
 * with other engines goes through here; there is no other consensus.
 *
 * <p>Every method may be called from any thread and returns at once; stages complete on a thread of the registry's choice. A stage that
 * completes exceptionally says that the outcome is <em>unknown</em>: the change may or may not have happened, or may still happen
 * until a later {@link #read} or {@link #compareAndSet} of the same volume has completed.
 */
public interface Registry extends AutoCloseable {

    /** Identity of the cluster, made with the registry and stamped on each disk at its first use. */
    UUID clusterId();

    /** The volume's newest record, durable. Empty if there is none. */
    CompletionStage<Optional<VolumeRecord>> read(String volumeName);

    /** Names of all volumes, sorted. */
    CompletionStage<List<String>> list();

    /**
     * Makes {@code next} the record of its volume if the present one's version is {@code next.version() - 1} (or if there is none and
     * {@code next.version()} is 1). Durable when it completes.
     */
    CompletionStage<Swap> compareAndSet(VolumeRecord next);

    /** Removes the volume's record if its version is {@code expectedVersion}; durable when it completes. Empty: removed. */
    CompletionStage<Swap> remove(String volumeName, long expectedVersion);

    /** Says that the engine {@code engineId} lives in this process, until the returned handle is closed or the process ends. */
    CompletionStage<Liveness> announce(UUID engineId);

    /**
     * Whether the holder's engine certainly runs no more: the operating system's lock of its announcement is free on this same host, or this
     * same host has booted since. False whenever that is not certain.
     */
    CompletionStage<Boolean> provedDead(LeaseHolder holder);

    /** Identity of this host, as engines here write it into {@link LeaseHolder#hostId}. */
    String hostId();

    /** Identity of this host's present boot. */
    String bootId();

    @Override
    void close();

    /** An announcement of life. */
    interface Liveness extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Outcome of a compare-and-set.
     *
     * @param swapped whether the change happened
     * @param current the record now: the new one, or the one that was in the way; empty if there is none
     */
    record Swap(boolean swapped, Optional<VolumeRecord> current) {}
}
