package io.longhorn.engine;

import io.longhorn.Durability;
import io.longhorn.VolumeLimits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * One of several processes that change the same records as fast as they can. Arguments: the registry's directory, what to do, how often. Prints how many changes it made.
 */
final class RegistryRacer {
    private RegistryRacer() {}

    static VolumeRecord record(String name, long version, long epoch) {
        UUID replica = new UUID(7, 7);
        return new VolumeRecord(
                version,
                name,
                new UUID(1, 1),
                1 << 20,
                Durability.ON_FLUSH,
                1,
                1,
                VolumeLimits.NONE,
                Map.of("owner", "a b=c%\n"),
                1_700_000_000_000L,
                epoch,
                VolumeRecord.NO_ENGINE,
                List.of(new ReplicaRecord(replica, "127.0.0.1:9500")),
                List.of(replica),
                Optional.empty());
    }

    public static void main(String[] arguments) {
        try (FileRegistry registry = FileRegistry.open(Path.of(arguments[0]), HostIdentity.current())) {
            int rounds = Integer.parseInt(arguments[2]);
            int made = 0;
            for (int i = 0; i < rounds; i++) {
                boolean changed = arguments[1].equals("count") ? count(registry) : toggle(registry);
                made += changed ? 1 : 0;
            }
            System.out.println(made);
        }
    }

    /** Raises the epoch by one. */
    private static boolean count(FileRegistry registry) {
        VolumeRecord present =
                registry.read("race").toCompletableFuture().join().orElseThrow();
        return registry.compareAndSet(record("race", present.version() + 1, present.epoch() + 1))
                .toCompletableFuture()
                .join()
                .swapped();
    }

    /** Creates the volume or removes it, whichever is possible, and counts only creations. */
    private static boolean toggle(FileRegistry registry) {
        Optional<VolumeRecord> present =
                registry.read("race").toCompletableFuture().join();
        if (present.isEmpty()) {
            return registry.compareAndSet(record("race", 1, 0))
                    .toCompletableFuture()
                    .join()
                    .swapped();
        }
        registry.remove("race", present.get().version()).toCompletableFuture().join();
        return false;
    }
}
