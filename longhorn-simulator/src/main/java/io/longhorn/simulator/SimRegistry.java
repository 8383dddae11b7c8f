package io.longhorn.simulator;

import io.longhorn.RegistryUnavailableException;
import io.longhorn.engine.LeaseHolder;
import io.longhorn.engine.Registry;
import io.longhorn.engine.VolumeRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The registry of a simulated cluster: durable, linearizable, sometimes slow, sometimes silent about what it did. A call that fails may have
 * had its effect, may never have it, or may have it later, until a later call about the same volume has been carried out.
 */
public final class SimRegistry {
    private static final long TIMEOUT_NANOS = 1_000_000_000L;

    private final SimScheduler scheduler;
    private final UUID clusterId;
    private final Map<String, VolumeRecord> records = new TreeMap<>();
    private final Map<String, List<Stray>> stray = new HashMap<>();
    private final Map<UUID, SimProcess> alive = new HashMap<>();
    private Consumer<VolumeRecord> watcher = record -> {};
    private int failPermille;
    private boolean down;
    private final Set<SimHost> cutOff = new HashSet<>();

    public SimRegistry(SimScheduler scheduler) {
        this.scheduler = scheduler;
        this.clusterId =
                new UUID(scheduler.random().nextLong(), scheduler.random().nextLong());
    }

    public UUID clusterId() {
        return clusterId;
    }

    /** Told of every record at the moment it becomes the volume's. */
    public void watch(Consumer<VolumeRecord> told) {
        watcher = told;
    }

    /** How many of a thousand calls fail with unknown outcome. */
    public void failPermille(int rate) {
        failPermille = rate;
    }

    /** While down, every call fails. */
    public void down(boolean isDown) {
        down = isDown;
    }

    /** Calls from that host fail, or do so no more. */
    public void cutOff(SimHost host, boolean isCutOff) {
        if (isCutOff) {
            cutOff.add(host);
        } else {
            cutOff.remove(host);
        }
    }

    /** The record as it is. */
    public Optional<VolumeRecord> record(String volumeName) {
        return Optional.ofNullable(records.get(volumeName));
    }

    /** Puts a first record without asking. */
    public void put(VolumeRecord record) {
        records.put(record.name(), record);
        watcher.accept(record);
    }

    /** The registry as {@code process} reaches it. */
    public Registry client(SimProcess process) {
        return new Client(process);
    }

    private Registry.Swap swap(VolumeRecord next) {
        VolumeRecord current = records.get(next.name());
        long version = current == null ? 0 : current.version();
        if (next.version() != version + 1) {
            return new Registry.Swap(false, Optional.ofNullable(current));
        }
        records.put(next.name(), next);
        scheduler.note("registry", "record of version, epoch", next.version(), next.epoch());
        watcher.accept(next);
        return new Registry.Swap(true, Optional.of(next));
    }

    private Registry.Swap remove(String volumeName, long version) {
        VolumeRecord current = records.get(volumeName);
        if (current == null || current.version() != version) {
            return new Registry.Swap(false, Optional.ofNullable(current));
        }
        records.remove(volumeName);
        return new Registry.Swap(true, Optional.empty());
    }

    /** What failed calls may still do to the volume happens now or never. */
    private void settle(String volumeName) {
        List<Stray> late = stray.remove(volumeName);
        if (late != null) {
            for (Stray change : late) {
                if (scheduler.random().coin()) {
                    change.happen();
                }
                change.over = true;
            }
        }
    }

    /** A change whose caller was told nothing. */
    private static final class Stray {
        private final Supplier<?> change;
        private boolean over;

        Stray(Supplier<?> change) {
            this.change = change;
        }

        void happen() {
            if (!over) {
                over = true;
                Object unheard = change.get();
                if (unheard == null) {
                    throw new IllegalStateException("a change has an outcome");
                }
            }
        }
    }

    private long delay() {
        SimRandom random = scheduler.random();
        return random.oneIn(50) ? random.between(1_000_000L, 200_000_000L) : random.between(50_000L, 2_000_000L);
    }

    private final class Client implements Registry {
        private final SimProcess process;

        Client(SimProcess process) {
            this.process = process;
        }

        /** Carries out {@code action} and brings its answer back, or fails. {@code volume} is empty for what concerns no volume. */
        private <T> CompletionStage<T> call(String volume, boolean changes, Supplier<T> action) {
            CompletableFuture<T> answer = new CompletableFuture<>();
            SimRandom random = scheduler.random();
            boolean fails = down || cutOff.contains(process.host()) || random.permille(failPermille);
            long arrival = scheduler.now() + delay();
            if (!fails) {
                scheduler.at(arrival, () -> {
                    if (!volume.isEmpty()) {
                        settle(volume);
                    }
                    T value = action.get();
                    process.at(scheduler.now() + delay(), () -> answer.complete(value));
                });
                return answer;
            }
            scheduler.note(process.name(), "registry call fails", changes ? 1 : 0, 0);
            if (changes && random.below(3) > 0) {
                Stray late = new Stray(action);
                stray.computeIfAbsent(volume, v -> new ArrayList<>()).add(late);
                if (random.coin()) {
                    scheduler.at(arrival, late::happen);
                }
            }
            process.at(
                    scheduler.now() + random.between(delay(), TIMEOUT_NANOS),
                    () -> answer.completeExceptionally(
                            new RegistryUnavailableException(volume, "the simulated registry does not answer")));
            return answer;
        }

        @Override
        public UUID clusterId() {
            return clusterId;
        }

        @Override
        public CompletionStage<Optional<VolumeRecord>> read(String volumeName) {
            return call(volumeName, false, () -> Optional.ofNullable(records.get(volumeName)));
        }

        @Override
        public CompletionStage<List<String>> list() {
            return call("", false, () -> List.copyOf(records.keySet()));
        }

        @Override
        public CompletionStage<Swap> compareAndSet(VolumeRecord next) {
            return call(next.name(), true, () -> swap(next));
        }

        @Override
        public CompletionStage<Swap> remove(String volumeName, long expectedVersion) {
            return call(volumeName, true, () -> SimRegistry.this.remove(volumeName, expectedVersion));
        }

        @Override
        public CompletionStage<Liveness> announce(UUID engineId) {
            return call("", false, () -> {
                alive.put(engineId, process);
                return () -> alive.remove(engineId, process);
            });
        }

        @Override
        public CompletionStage<Boolean> provedDead(LeaseHolder holder) {
            return call("", false, () -> {
                if (!holder.hostId().equals(hostId())) {
                    return false;
                }
                @Nullable SimProcess announced = alive.get(holder.engineId());
                return !holder.bootId().equals(bootId()) || announced == null || !announced.isAlive();
            });
        }

        @Override
        public String hostId() {
            return process.host().name();
        }

        @Override
        public String bootId() {
            return process.host().bootId();
        }

        @Override
        public void close() {}
    }
}
