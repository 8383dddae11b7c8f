package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DiskFullException;
import io.longhorn.HealthState;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.DiskCheck;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real replica servers on a real file system that runs full: a tmpfs, which takes root to mount. */
@Tag("real")
class FullDiskTest {

    private static final HostPort ANY_PORT = new HostPort("127.0.0.1", 0);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int CHUNK_BYTES = 256 << 10;
    /** Journal and reserve take about half of it. */
    private static final int FILE_SYSTEM_MEBIBYTES = 640;

    private static final long VOLUME_BYTES = 8L << 30;
    private static final int VOLUME_CHUNKS = (int) (VOLUME_BYTES / CHUNK_BYTES);
    /** Long before the caller's own time limit of 30 s. */
    private static final Duration REFUSAL_LIMIT = Duration.ofSeconds(10);

    @TempDir
    private Path directory;

    private Path mountPoint;

    @BeforeEach
    void mount() throws Exception {
        mountPoint = Files.createDirectory(directory.resolve("small"));
        mount("size=" + FILE_SYSTEM_MEBIBYTES + "m");
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", mountPoint.toString());
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void writesFailClearlyReadsGoOnAndDeletingASnapshotHelps() throws Exception {
        try (CleanUp cleanUp = new CleanUp()) {
            ReplicaServers servers = cleanUp.add(ReplicaServers.start(mountPoint, 1));
            Longhorn longhorn = cleanUp.add(connect(servers));
            Volume volume = longhorn.create(VolumeSpec.named("small")
                    .sizeBytes(VOLUME_BYTES)
                    .replicas(1)
                    .build());

            fill(volume, 0, 32, 1);
            Snapshot snapshot = volume.snapshot("first");
            fill(volume, 0, 32, 2);
            volume.flush();
            int written = fillUntilFull(volume, 32, servers.address(0));

            verify(volume, 0, written, 2);
            snapshot.delete();
            awaitWrites(volume);
            verify(volume, 1, written, 2);
            volume.flush();
            longhorn.close();
            servers.stop();
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void nothingIsLostWhenTheServerOfAFullDiskIsKilledAndDiscardingHelps() throws Exception {
        try (CleanUp cleanUp = new CleanUp()) {
            ReplicaServers servers = cleanUp.add(ReplicaServers.start(mountPoint, 1));
            int written;
            try (Longhorn longhorn = connect(servers)) {
                Volume volume = longhorn.create(VolumeSpec.named("small")
                        .sizeBytes(VOLUME_BYTES)
                        .replicas(1)
                        .build());
                written = fillUntilFull(volume, 0, servers.address(0));
                servers.kill(0);
            }
            for (int round = 0; round < 3; round++) {
                servers.restart(0);
                servers.kill(0);
            }
            servers.restart(0);
            Longhorn longhorn = cleanUp.add(connect(servers));
            Volume volume = longhorn.open("small");
            verify(volume, 0, written, 2);
            assertThatThrownBy(() -> fill(volume, written, VOLUME_CHUNKS, 2)).isInstanceOf(DiskFullException.class);
            verify(volume, 0, written, 2);

            volume.discard(0, 64L * CHUNK_BYTES);
            awaitWrites(volume);
            verify(volume, 64, written, 2);
            longhorn.close();
            servers.stop();
            DiskCheck check = DiskCheck.of(servers.disk(0));
            assertThat(check.damages()).isEmpty();
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void fullDiskOfOneReplicaOfThreeIsNamedAndTakingThatReplicaAwayHelps() throws Exception {
        Path disks = Files.createDirectory(directory.resolve("servers"));
        try (CleanUp cleanUp = new CleanUp()) {
            ReplicaServers large = cleanUp.add(ReplicaServers.start(disks, 2));
            ReplicaServers small = cleanUp.add(ReplicaServers.start(mountPoint, 1));
            Longhorn longhorn = cleanUp.add(connect(large, small));
            Volume volume = longhorn.create(
                    VolumeSpec.named("small").sizeBytes(VOLUME_BYTES).build());
            int written = fillUntilFull(volume, 0, small.address(0));
            assertThat(volume.health().state()).isEqualTo(HealthState.HEALTHY);
            verify(volume, 0, written, 2);

            volume.replicas()
                    .remove(volume.replicas().list().stream()
                            .filter(replica -> replica.location().equals(small.address(0)))
                            .findFirst()
                            .orElseThrow()
                            .id());

            fill(volume, written, written + 32, 2);
            volume.flush();
            verify(volume, 0, written + 32, 2);
            longhorn.close();
            large.stop();
            small.stop();
        }
    }

    @Test
    void readOnlyDiskIsRefusedAndNamed() throws Exception {
        Path empty = mountPoint.resolve("disk");
        remount("ro");
        assertRefused(empty);
        remount("rw");
        ReplicaProcess.start(List.of(empty), ANY_PORT, directory.resolve("log")).stop();
        remount("ro");
        assertRefused(empty);
        assertThat(DiskCheck.of(empty).damages()).isEmpty();
        remount("rw");
        ReplicaProcess.start(List.of(empty), ANY_PORT, directory.resolve("log")).stop();
    }

    private void assertRefused(Path disk) throws Exception {
        Path log = directory.resolve("refused.log");
        Files.deleteIfExists(log);
        assertThatThrownBy(() -> ReplicaProcess.start(List.of(disk), ANY_PORT, log))
                .isInstanceOf(CommandFailure.class);
        assertThat(Files.readAllLines(log)).first().asString().contains(disk.toString(), "cannot be written to");
    }

    private void remount(String how) throws Exception {
        run("mount", "-o", "remount," + how, mountPoint.toString());
    }

    private void mount(String options) throws Exception {
        run("mount", "-t", "tmpfs", "-o", options, "small", mountPoint.toString());
    }

    private void run(String tool, String... arguments) throws Exception {
        ExternalTool.Result result = ExternalTool.require(tool, "mount").run(directory, LIMIT, arguments);
        assertThat(result.exitCode()).as("this takes root: " + result.output()).isZero();
    }

    private Longhorn connect(ReplicaServers... servers) {
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(directory.resolve("registry")).readCacheBytes(0);
        for (ReplicaServers some : servers) {
            some.addresses().forEach(address -> config.replicaServer(address.toString()));
        }
        return Longhorn.connect(config.build());
    }

    /** Writes version 2 of one chunk after the other; returns the first one that was refused. */
    private static int fillUntilFull(Volume volume, int from, String server) {
        int[] written = {from};
        long[] began = {0};
        assertThatThrownBy(() -> {
                    for (; written[0] < VOLUME_CHUNKS; written[0]++) {
                        began[0] = System.nanoTime();
                        fill(volume, written[0], written[0] + 1, 2);
                    }
                })
                .isInstanceOf(DiskFullException.class)
                .hasMessageContainingAll("no space on", server, "delete snapshots");
        assertThat(Duration.ofNanos(System.nanoTime() - began[0]))
                .as("how long the refused write waited")
                .isLessThan(REFUSAL_LIMIT);
        return written[0];
    }

    private static void awaitWrites(Volume volume) throws Exception {
        assertThat(Waiting.until(LIMIT, () -> writes(volume)))
                .as("writes work again")
                .isTrue();
    }

    private static boolean writes(Volume volume) {
        try {
            fill(volume, 0, 1, 3);
            return true;
        } catch (DiskFullException e) {
            return false;
        }
    }

    private static void fill(Volume volume, int from, int to, long version) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        for (int number = from; number < to; number++) {
            Stamps.fill(chunk, number, version);
            volume.write((long) number * CHUNK_BYTES, chunk);
        }
    }

    private static void verify(Volume volume, int from, int to, long version) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        for (int number = from; number < to; number++) {
            volume.read((long) number * CHUNK_BYTES, chunk.clear());
            assertThat(Stamps.matches(chunk, number, version))
                    .as("chunk " + number)
                    .isTrue();
        }
    }
}
