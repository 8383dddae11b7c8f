package io.longhorn.engine;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A registry in memory that may be told to fail. */
final class MemoryRegistry implements Registry {
    private final TreeMap<String, VolumeRecord> records = new TreeMap<>();
    private final UUID clusterId = new UUID(7, 7);
    boolean failing;
    boolean provesDeath;

    @Override
    public UUID clusterId() {
        return clusterId;
    }

    VolumeRecord get(String name) {
        return records.get(name);
    }

    private <T> CompletionStage<T> answer(T value) {
        return failing
                ? CompletableFuture.failedFuture(new java.io.IOException("registry is down"))
                : CompletableFuture.completedFuture(value);
    }

    @Override
    public CompletionStage<Optional<VolumeRecord>> read(String volumeName) {
        return answer(Optional.ofNullable(records.get(volumeName)));
    }

    @Override
    public CompletionStage<List<String>> list() {
        return answer(List.copyOf(records.keySet()));
    }

    @Override
    public CompletionStage<Swap> compareAndSet(VolumeRecord next) {
        VolumeRecord present = records.get(next.name());
        long version = present == null ? 0 : present.version();
        if (!failing && version == next.version() - 1) {
            records.put(next.name(), next);
            return answer(new Swap(true, Optional.of(next)));
        }
        return answer(new Swap(false, Optional.ofNullable(present)));
    }

    @Override
    public CompletionStage<Swap> remove(String volumeName, long expectedVersion) {
        records.remove(volumeName);
        return answer(new Swap(true, Optional.empty()));
    }

    @Override
    public CompletionStage<Liveness> announce(UUID engineId) {
        return answer(() -> {});
    }

    @Override
    public CompletionStage<Boolean> provedDead(LeaseHolder holder) {
        return answer(provesDeath);
    }

    @Override
    public String hostId() {
        return "host";
    }

    @Override
    public String bootId() {
        return "boot";
    }

    @Override
    public void close() {}
}
