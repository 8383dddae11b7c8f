package io.longhorn;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Programs that callers were promised to compile. The engine's tests run such programs; here there is no engine. */
class PromisedNamesTest {

    @Test
    void theProgramsCompileAndReachTheProvider() {
        Path directory = Path.of("unused");

        assertThatExceptionOfType(EngineMissingException.class).isThrownBy(() -> embedded(directory));
        assertThatExceptionOfType(EngineMissingException.class).isThrownBy(() -> remote(directory));
    }

    private static void embedded(Path directory) {
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(VolumeSpec.named("orders")
                    .sizeBytes(20L << 30)
                    .replicas(3)
                    .durability(Durability.ON_FLUSH)
                    .build());
            volume.write(0, buffer);
            volume.write(0, buffer, WriteOption.FORCED);
            volume.flush();
            Snapshot before = volume.snapshot("before-migration");
            Backup backup = before.backUpTo(BackupTarget.at(URI.create("s3://bucket@region/path/")));
            volume.revertTo(before);
            Volume copy = longhorn.restore(backup, VolumeSpec.named("copy").build());
            useAsynchronously(copy, buffer);
            useSnapshot(volume.snapshots().get(0), buffer);
            volume.expandTo(40L << 30);
            volume.read(volume.sizeBytes() - 4096, buffer);
            if (volume.health().state() != HealthState.HEALTHY) {
                volume.close();
            }
            List<String> names = longhorn.volumes();
            longhorn.open(names.get(0)).close();
            longhorn.delete(names.get(0));
        }
    }

    private static void remote(Path registry) {
        LonghornConfig config = LonghornConfig.builder()
                .registry(registry)
                .replicaServer("10.0.0.1:9500")
                .replicaServer("10.0.0.2:9500")
                .replicaServer("10.0.0.3:9500")
                .token("secret")
                .build();
        Longhorn.connect(config).close();
    }

    private static void useAsynchronously(Volume volume, ByteBuffer buffer) {
        CompletionStage<Void> read = volume.readAsync(0, buffer);
        CompletionStage<Void> write = volume.writeAsync(0, buffer);
        CompletionStage<Void> flush = volume.flushAsync();
        CompletionStage<Void> discard = volume.discardAsync(0, 4096);
        CompletionStage<Void> zeroes = volume.writeZeroesAsync(0, 4096);
        read.thenCombine(write, (a, b) -> flush).thenCombine(discard, (a, b) -> zeroes);
        volume.discard(1, 5000);
        volume.writeZeroes(1, 5000);
        volume.writeZeroes(1, 5000, ZeroOption.ALLOCATE);
        List<Extent> extents = volume.allocation(0, 4096);
        volume.discard(extents.get(0).offsetBytes(), 1);
    }

    private static void useSnapshot(Snapshot snapshot, ByteBuffer buffer) {
        String name = snapshot.name();
        Instant createdAt = snapshot.createdAt();
        Map<String, String> labels = snapshot.labels();
        Optional<Snapshot> parent = snapshot.parent();
        List<Extent> extents = snapshot.allocation(0, 4096);
        snapshot.read(0, buffer);
        if (!name.isEmpty()
                && createdAt.isAfter(Instant.EPOCH)
                && labels.isEmpty()
                && parent.isEmpty()
                && extents.isEmpty()) {
            snapshot.delete();
        }
    }
}
