package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Durability;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.FencedException;
import io.longhorn.HealthState;
import io.longhorn.HeldSnapshot;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.LonghornException;
import io.longhorn.OpenMode;
import io.longhorn.OutOfRangeException;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.Volume;
import io.longhorn.VolumeDescription;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeInUseException;
import io.longhorn.VolumeIncompleteException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import io.longhorn.WriteOption;
import io.longhorn.replica.ReplicaServer;
import io.longhorn.spi.VolumeFilling;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The product as a program uses it: real files, embedded and over loopback. */
class LonghornTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;

    @TempDir
    Path directory;

    private static VolumeSpec spec(String name) {
        return VolumeSpec.named(name).sizeBytes(8 << 20).build();
    }

    private static ByteBuffer filled(int bytes, int value) {
        byte[] data = new byte[bytes];
        Arrays.fill(data, (byte) value);
        return ByteBuffer.wrap(data);
    }

    private static byte[] read(Volume volume, long offset, int length) {
        ByteBuffer target = ByteBuffer.allocate(length);
        volume.read(offset, target);
        assertThat(target.hasRemaining()).isFalse();
        return target.array();
    }

    @Test
    void embeddedVolumeKeepsWhatWasWritten() {
        byte[] content = new byte[100_000];
        new Random(5).nextBytes(content);
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            ByteBuffer source = ByteBuffer.wrap(content);
            volume.write(12_345, source);
            assertThat(source.hasRemaining()).isFalse();
            volume.flush();
            assertThat(volume.health().state()).isEqualTo(HealthState.HEALTHY);
            assertThat(longhorn.volumes()).containsExactly("orders");
            assertThat(longhorn.open("orders")).isSameAs(volume);
        }
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            assertThat(read(longhorn.open("orders"), 12_345, content.length)).isEqualTo(content);
        }
    }

    @Test
    void snapshotsRevertAndDelete() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            volume.write(0, filled(4 * BLOCK, 1));
            Snapshot before = volume.snapshot("before");
            volume.write(0, filled(BLOCK, 2));
            Snapshot after = volume.snapshot("after");

            assertThat(volume.snapshots()).extracting(Snapshot::name).containsExactly("before", "after");
            assertThat(after.parent()).contains(before);
            assertThat(after.changedSince(before)).containsExactly(new Extent(0, BLOCK, ExtentState.DATA));
            ByteBuffer old = ByteBuffer.allocate(BLOCK);
            before.read(0, old);
            assertThat(old.array()).containsOnly(1);
            volume.revertTo(before);
            assertThat(read(volume, 0, BLOCK)).containsOnly(1);
            after.delete();
            assertThat(volume.snapshots()).extracting(Snapshot::name).containsExactly("before");
        }
    }

    @Test
    void cloneHoldsTheSnapshotsContent() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            volume.write(3 * BLOCK, filled(2 * BLOCK, 7));
            Snapshot snapshot = volume.snapshot("one");
            volume.write(3 * BLOCK, filled(2 * BLOCK, 8));

            Volume copy =
                    longhorn.cloneSnapshot(snapshot, VolumeSpec.named("copy").build());

            assertThat(read(copy, 3 * BLOCK, 2 * BLOCK)).containsOnly(7);
            assertThat(copy.sizeBytes()).isEqualTo(volume.sizeBytes());
        }
    }

    @Test
    void aVolumeThatIsBeingFilledIsOpenedOnlyByWhoFillsIt() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = ((VolumeFilling) longhorn).createFilling(spec("orders"), "restore:there");
            volume.write(0, filled(BLOCK, 1));
            assertThatThrownBy(() -> longhorn.open("orders"))
                    .isInstanceOf(VolumeIncompleteException.class)
                    .hasMessageContaining("restore:there");
            volume.flush();
        }
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            VolumeFilling filling = (VolumeFilling) longhorn;
            assertThat(filling.source("orders")).contains("restore:there");
            assertThatThrownBy(() -> longhorn.open("orders", OpenMode.READ_ONLY))
                    .isInstanceOf(VolumeIncompleteException.class);
            Volume volume = filling.openFilling("orders");
            filling.source(volume, Optional.of("restore:elsewhere"));
            assertThat(filling.source("orders")).contains("restore:elsewhere");
            assertThatThrownBy(() -> filling.source(volume, Optional.of("x".repeat(5000))))
                    .isInstanceOf(IllegalArgumentException.class);

            filling.source(volume, Optional.empty());

            assertThat(longhorn.open("orders")).isSameAs(volume);
            assertThat(filling.source("orders")).isEmpty();
            assertThat(longhorn.isInUse("orders")).isTrue();
            volume.close();
            assertThat(longhorn.isInUse("orders")).isFalse();
        }
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            assertThat(read(longhorn.open("orders"), 0, BLOCK)).containsOnly(1);
            ((VolumeFilling) longhorn)
                    .createFilling(spec("other"), "restore:there")
                    .close();
            longhorn.delete("other");
            assertThatThrownBy(() -> ((VolumeFilling) longhorn).source("other"))
                    .isInstanceOf(VolumeNotFoundException.class);
        }
    }

    @Test
    void heldSnapshotIsReadableAfterItIsDeleted() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            volume.write(0, filled(4 * BLOCK, 1));
            Snapshot base = volume.snapshot("base");
            volume.write(BLOCK, filled(BLOCK, 2));
            Snapshot snapshot = volume.snapshot("one");
            HeldSnapshot held = snapshot.hold();
            volume.write(0, filled(4 * BLOCK, 3));
            snapshot.delete();

            ByteBuffer content = ByteBuffer.allocate(4 * BLOCK);
            held.read(0, content);
            assertThat(Arrays.copyOfRange(content.array(), BLOCK, 2 * BLOCK)).containsOnly(2);
            assertThat(Arrays.copyOfRange(content.array(), 2 * BLOCK, 4 * BLOCK))
                    .containsOnly(1);
            held.readAsync(0, content.clear()).toCompletableFuture().join();
            assertThat(content.position()).isEqualTo(4 * BLOCK);
            assertThat(held.allocation(0, 5 * BLOCK))
                    .containsExactly(
                            new Extent(0, 4 * BLOCK, ExtentState.DATA),
                            new Extent(4 * BLOCK, BLOCK, ExtentState.ABSENT));
            assertThat(held.changedSince(base)).containsExactly(new Extent(BLOCK, BLOCK, ExtentState.DATA));
            assertThat(held.name()).isEqualTo("one");
            held.exportTo(directory.resolve("held"));
            assertThat(directory.resolve("held")).hasSize(volume.sizeBytes());
            assertThatThrownBy(() -> snapshot.read(0, content.clear())).isInstanceOf(SnapshotNotFoundException.class);
            assertThatThrownBy(snapshot::hold).isInstanceOf(SnapshotNotFoundException.class);

            HeldSnapshot again = held.hold();
            held.close();
            held.close();
            again.read(0, content.clear());
            assertThat(Arrays.copyOfRange(content.array(), BLOCK, 2 * BLOCK)).containsOnly(2);
            again.close();
            assertThatThrownBy(() -> held.read(0, content.clear())).isInstanceOf(SnapshotNotFoundException.class);
            base.read(0, content.clear());
            assertThat(content.array()).containsOnly(1);
        }
    }

    @Test
    void snapshotThatIsDeletedWhileItIsExportedIsExportedWhole() throws IOException {
        try (Longhorn longhorn = Longhorn.embedded(directory.resolve("data"))) {
            Volume volume = longhorn.create(spec("orders"));
            volume.write(0, filled(2 << 20, 1));
            volume.write(3 << 20, filled(1 << 20, 2));
            Snapshot snapshot = volume.snapshot("one");
            volume.write(0, filled(4 << 20, 3));
            List<Long> told = new ArrayList<>();
            Path file = directory.resolve("file");

            snapshot.exportTo(file, (done, total) -> {
                if (told.isEmpty()) {
                    snapshot.delete();
                }
                told.add(done);
            });

            byte[] content = Files.readAllBytes(file);
            assertThat(content).hasSize((int) volume.sizeBytes());
            assertThat(Arrays.copyOf(content, 2 << 20)).containsOnly(1);
            assertThat(Arrays.copyOfRange(content, 2 << 20, 3 << 20)).containsOnly(0);
            assertThat(Arrays.copyOfRange(content, 3 << 20, 4 << 20)).containsOnly(2);

            Path half = directory.resolve("half");
            assertThatThrownBy(() -> volume.exportTo(half, (done, total) -> {
                        throw new IllegalStateException("enough");
                    }))
                    .hasMessage("enough");
            assertThat(half).doesNotExist();
        }
    }

    @Test
    void blocksReadBeforeAreReadFromTheCacheUntilTheyAreWritten() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            volume.write(0, filled(3 * BLOCK, 1));
            assertThat(read(volume, 100, 2 * BLOCK)).containsOnly(1);
            assertThat(volume.statistics().cacheHitBlocks()).isZero();
            assertThat(volume.statistics().cacheMissBlocks()).isEqualTo(3);

            assertThat(read(volume, BLOCK, BLOCK)).containsOnly(1);
            assertThat(read(volume, 100, 2 * BLOCK)).containsOnly(1);
            assertThat(volume.statistics().cacheHitBlocks()).isEqualTo(4);
            assertThat(volume.statistics().reads()).isEqualTo(3);

            volume.write(BLOCK, filled(BLOCK, 2));
            assertThat(read(volume, BLOCK, BLOCK)).containsOnly(2);
            assertThat(read(volume, 0, BLOCK)).containsOnly(1);
            volume.discard(0, 3 * BLOCK);
            assertThat(read(volume, 0, 3 * BLOCK)).containsOnly(0);
            Snapshot snapshot = volume.snapshot("before");
            volume.write(0, filled(BLOCK, 3));
            assertThat(read(volume, 0, BLOCK)).containsOnly(3);
            volume.revertTo(snapshot);
            assertThat(read(volume, 0, BLOCK)).containsOnly(0);
        }
    }

    @Test
    void importAndExportAreSparseAndEqual() throws IOException {
        Path source = directory.resolve("source");
        byte[] content = new byte[3 << 20];
        new Random(6).nextBytes(content);
        Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
        Files.write(source, content);
        Path target = directory.resolve("target");
        try (Longhorn longhorn = Longhorn.embedded(directory.resolve("data"))) {
            Volume volume = longhorn.create(spec("orders"));
            volume.importFrom(source);
            volume.exportTo(target);

            assertThat(Files.size(target)).isEqualTo(volume.sizeBytes());
            assertThat(Arrays.copyOf(Files.readAllBytes(target), content.length))
                    .isEqualTo(content);
            assertThatThrownBy(() -> volume.exportTo(target)).isInstanceOf(LonghornException.class);
        }
    }

    @Test
    void expandedVolumeIsLargerAfterReopening() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));
            volume.expandTo(16 << 20);
            volume.write((16 << 20) - BLOCK, filled(BLOCK, 3));
            assertThatThrownBy(() -> volume.expandTo(1 << 20)).isInstanceOf(IllegalArgumentException.class);
        }
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.open("orders");
            assertThat(volume.sizeBytes()).isEqualTo(16 << 20);
            assertThat(read(volume, (16 << 20) - BLOCK, BLOCK)).containsOnly(3);
        }
    }

    @Test
    void argumentsAreCheckedAtOnce() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(spec("orders"));

            assertThatThrownBy(() -> volume.read(volume.sizeBytes(), ByteBuffer.allocate(1)))
                    .isInstanceOf(OutOfRangeException.class);
            assertThatThrownBy(() -> volume.writeAsync(-1, ByteBuffer.allocate(1)))
                    .isInstanceOf(OutOfRangeException.class);
            assertThatThrownBy(() -> longhorn.create(spec("orders"))).isInstanceOf(VolumeExistsException.class);
            assertThatThrownBy(() -> longhorn.open("others")).isInstanceOf(VolumeNotFoundException.class);
            assertThatThrownBy(() -> longhorn.delete("orders")).isInstanceOf(VolumeInUseException.class);
        }
    }

    @Test
    void deletedVolumeIsGoneAndItsNameFree() throws IOException {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            longhorn.create(spec("orders")).close();
            longhorn.delete("orders");

            assertThat(longhorn.volumes()).isEmpty();
            try (var left = Files.list(directory.resolve("replica-1/replicas"))) {
                assertThat(left).isEmpty();
            }
            Volume again = longhorn.create(spec("orders"));
            assertThat(read(again, 0, BLOCK)).containsOnly(0);
        }
    }

    @Test
    void readOnlyVolumeRefusesWrites() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            longhorn.create(spec("orders")).close();
            Volume volume = longhorn.open("orders", OpenMode.READ_ONLY);

            assertThatThrownBy(() -> volume.write(0, filled(BLOCK, 1))).isInstanceOf(ReadOnlyVolumeException.class);
            assertThat(read(volume, 0, BLOCK)).containsOnly(0);
        }
    }

    @Test
    void writeThroughAndForcedWritesReturn() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(VolumeSpec.named("orders")
                    .sizeBytes(8 << 20)
                    .durability(Durability.WRITE_THROUGH)
                    .build());
            volume.write(0, filled(BLOCK, 1));
            volume.write(BLOCK, filled(BLOCK, 2), WriteOption.FORCED);

            assertThat(read(volume, 0, BLOCK)).containsOnly(1);
            assertThat(volume.compareAndWrite(0, filled(10, 1), filled(10, 9)).written())
                    .isTrue();
            assertThat(volume.compareAndWrite(0, filled(10, 1), filled(10, 9)).mismatchBytes())
                    .isZero();
        }
    }

    private ReplicaServer server(String name, HostPort listen) throws IOException {
        return ReplicaServer.builder()
                .directory(directory.resolve(name))
                .listen(listen)
                .token("secret")
                .start();
    }

    private LonghornConfig config(List<ReplicaServer> servers) {
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(directory.resolve("registry")).token("secret");
        for (ReplicaServer server : servers) {
            config.replicaServer(server.address().toString());
        }
        return config.build();
    }

    @Test
    void remoteReplicasSurviveTheLossOfServers() throws Exception {
        HostPort any = new HostPort("127.0.0.1", 0);
        try (ReplicaServer first = server("d1", any);
                ReplicaServer third = server("d3", any)) {
            ReplicaServer second = server("d2", any);
            HostPort address = second.address();
            try (Longhorn longhorn = Longhorn.connect(config(List.of(first, second, third)))) {
                Volume volume = longhorn.create(spec("orders"));
                for (int i = 0; i < 100; i++) {
                    volume.write(i * (long) BLOCK, filled(BLOCK, i));
                }
                second.close();
                for (int i = 0; i < 50; i++) {
                    volume.write(i * (long) BLOCK, filled(BLOCK, i + 1));
                }
                assertThat(volume.health().state()).isEqualTo(HealthState.DEGRADED);
                try (ReplicaServer back = server("d2", address)) {
                    assertThat(volume.awaitHealthy(Duration.ofSeconds(30))).isTrue();
                    assertThat(volume.health().replicasInSync()).isEqualTo(3);
                    assertThat(read(volume, 0, BLOCK)).containsOnly(1);
                    assertThat(read(volume, 60L * BLOCK, BLOCK)).containsOnly(60);
                    assertThat(back.address()).isEqualTo(address);
                }
            }
        }
    }

    @Test
    void tooFewServersAreRefusedByNumbers() throws IOException {
        HostPort any = new HostPort("127.0.0.1", 0);
        try (ReplicaServer only = server("d1", any);
                Longhorn longhorn = Longhorn.connect(config(List.of(only)))) {
            assertThatThrownBy(() -> longhorn.create(spec("orders")))
                    .isInstanceOf(TooFewReplicasException.class)
                    .hasMessageContaining("3")
                    .hasMessageContaining("1");
            Volume volume = longhorn.create(VolumeSpec.named("orders")
                    .sizeBytes(8 << 20)
                    .allowDegraded(true)
                    .build());
            volume.write(0, filled(BLOCK, 1));
            assertThat(volume.health().state()).isEqualTo(HealthState.DEGRADED);
        }
    }

    @Test
    void secondInstanceTakesAVolumeOver() throws IOException {
        HostPort any = new HostPort("127.0.0.1", 0);
        try (ReplicaServer first = server("d1", any);
                ReplicaServer second = server("d2", any);
                ReplicaServer third = server("d3", any);
                Longhorn older = Longhorn.connect(config(List.of(first, second, third)));
                Longhorn newer = Longhorn.connect(config(List.of(first, second, third)))) {
            Volume here = older.create(spec("orders"));
            here.write(0, filled(BLOCK, 1));

            Volume there = newer.open("orders");

            assertThat(read(there, 0, BLOCK)).containsOnly(1);
            assertThatThrownBy(() -> here.write(0, filled(BLOCK, 2))).isInstanceOf(FencedException.class);
        }
    }

    @Test
    void wrongTokenIsRefused() throws IOException {
        HostPort any = new HostPort("127.0.0.1", 0);
        try (ReplicaServer only = server("d1", any);
                Longhorn longhorn = Longhorn.connect(LonghornConfig.builder()
                        .registry(directory.resolve("registry"))
                        .replicaServer(only.address().toString())
                        .token("other")
                        .build())) {
            assertThatThrownBy(() -> longhorn.create(VolumeSpec.named("orders")
                            .sizeBytes(1 << 20)
                            .replicas(1)
                            .build()))
                    .isInstanceOf(TooFewReplicasException.class);
        }
    }

    @Test
    void aVolumeIsDescribedWhetherItIsOpenOrNot() {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(VolumeSpec.named("orders")
                    .sizeBytes(1 << 20)
                    .replicas(2)
                    .durability(Durability.WRITE_THROUGH)
                    .labels(Map.of("app", "ledger"))
                    .build());
            volume.expandTo(2 << 20);
            VolumeDescription open = longhorn.describe("orders");
            volume.close();
            assertThat(longhorn.describe("orders")).isEqualTo(open);
            assertThat(open.id()).isEqualTo(volume.id());
            assertThat(open.sizeBytes()).isEqualTo(2 << 20);
            assertThat(open.replicasWanted()).isEqualTo(2);
            assertThat(open.replicas()).hasSize(2).allMatch(location -> location.startsWith("replica-"));
            assertThat(open.durability()).isEqualTo(Durability.WRITE_THROUGH);
            assertThat(open.labels()).containsExactly(Map.entry("app", "ledger"));
            assertThat(open.source()).isEmpty();
            assertThatThrownBy(() -> longhorn.describe("nobody")).isInstanceOf(VolumeNotFoundException.class);
            assertThatThrownBy(() -> longhorn.describe("../orders")).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
