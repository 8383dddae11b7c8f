package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DiskFullException;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int CHUNK_BYTES = 256 << 10;
    /** Per disk: journal and reserve take about half of it. */
    private static final int FILE_SYSTEM_MEBIBYTES = 1024;

    private static final long VOLUME_BYTES = 8L << 30;

    @TempDir
    private Path directory;

    private Path mountPoint;

    @BeforeEach
    void mount() throws Exception {
        mountPoint = Files.createDirectory(directory.resolve("small"));
        ExternalTool.Result result = ExternalTool.require("mount", "mount")
                .run(
                        directory,
                        LIMIT,
                        "-t",
                        "tmpfs",
                        "-o",
                        "size=" + FILE_SYSTEM_MEBIBYTES + "m",
                        "small",
                        mountPoint.toString());
        assertThat(result.exitCode())
                .as("mounting takes root: " + result.output())
                .isZero();
    }

    @AfterEach
    void unmount() throws Exception {
        ExternalTool.Result result =
                ExternalTool.require("umount", "mount").run(directory, LIMIT, mountPoint.toString());
        assertThat(result.exitCode()).as(result.output()).isZero();
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void writesFailClearlyReadsGoOnAndDeletingASnapshotHelps() throws Exception {
        try (CleanUp cleanUp = new CleanUp()) {
            ReplicaServers servers = cleanUp.add(ReplicaServers.start(mountPoint, 1));
            LonghornConfig config = LonghornConfig.builder()
                    .registry(directory.resolve("registry"))
                    .replicaServer(servers.addresses().stream()
                            .map(HostPort::toString)
                            .findFirst()
                            .orElseThrow())
                    .readCacheBytes(0)
                    .build();
            Longhorn longhorn = cleanUp.add(Longhorn.connect(config));
            Volume volume = longhorn.create(VolumeSpec.named("small")
                    .sizeBytes(VOLUME_BYTES)
                    .replicas(1)
                    .build());

            fill(volume, 0, 32, 1);
            Snapshot snapshot = volume.snapshot("first");
            fill(volume, 0, 32, 2);
            volume.flush();
            int[] written = {32};
            assertThatThrownBy(() -> {
                        for (; written[0] * (long) CHUNK_BYTES < VOLUME_BYTES; written[0]++) {
                            fill(volume, written[0], written[0] + 1, 2);
                        }
                    })
                    .isInstanceOf(DiskFullException.class)
                    .hasMessageContaining("full");

            verify(volume, 0, written[0], 2);
            snapshot.delete();
            assertThat(Waiting.until(LIMIT, () -> writes(volume)))
                    .as("writes work again")
                    .isTrue();
            verify(volume, 1, written[0], 2);
            volume.flush();
            longhorn.close();
            servers.stop();
        }
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
