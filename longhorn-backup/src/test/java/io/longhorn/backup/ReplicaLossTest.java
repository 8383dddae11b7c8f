package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.HealthState;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replica servers that go and come back while their volume is backed up or restored. */
class ReplicaLossTest {
    private static final int MIB = 1 << 20;

    @TempDir
    private Path directory;

    private final List<ReplicaServer> servers = new ArrayList<>();
    private Longhorn longhorn;
    private BackupTarget target;

    @BeforeEach
    void start() throws IOException {
        LonghornConfig.Builder config = LonghornConfig.builder().registry(directory.resolve("registry"));
        for (int i = 0; i < 3; i++) {
            ReplicaServer server = server(i, "127.0.0.1:0");
            servers.add(server);
            config.replicaServer(server.address().toString());
        }
        longhorn = Longhorn.connect(config.build());
        target = BackupTarget.at(directory.resolve("target").toUri());
    }

    private ReplicaServer server(int number, String address) throws IOException {
        return ReplicaServer.builder()
                .directory(directory.resolve("disk-" + number))
                .listen(HostPort.parse(address))
                .start();
    }

    @AfterEach
    void stop() {
        longhorn.close();
        servers.forEach(ReplicaServer::close);
    }

    private void restart(int number) {
        String address = servers.get(number).address().toString();
        servers.get(number).close();
        try {
            servers.set(number, server(number, address));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] content(Volume volume) {
        ByteBuffer content = ByteBuffer.allocate((int) volume.sizeBytes());
        volume.read(0, content);
        return content.array();
    }

    @Test
    void aBackupGoesOnWithoutTheReplicasThatGo() throws Exception {
        Volume volume =
                longhorn.create(VolumeSpec.named("orders").sizeBytes(16 * MIB).build());
        byte[] data = new byte[12 * MIB];
        new Random(1).nextBytes(data);
        volume.write(0, ByteBuffer.wrap(data));
        Snapshot snapshot = volume.snapshot("one");
        byte[] expected = content(volume);
        BackupOperation operation = snapshot.startBackup(
                target, BackupSpec.builder().workers(1).bytesPerSecond(1).build());
        while (operation.progress().sentBytes() == 0) {
            Thread.onSpinWait();
        }
        snapshot.delete();
        restart(0);
        servers.get(1).close();
        volume.write(0, ByteBuffer.wrap(new byte[MIB]));
        operation.limit(0);
        Backup backup = operation.await();
        Volume copy = longhorn.restore(
                backup, VolumeSpec.named("copy").allowDegraded(true).build());
        assertThat(content(copy)).isEqualTo(expected);
    }

    @Test
    void aReplicaThatReturnsInTheMiddleOfARestoreIsComplete() throws Exception {
        Volume volume =
                longhorn.create(VolumeSpec.named("orders").sizeBytes(16 * MIB).build());
        byte[] data = new byte[16 * MIB];
        new Random(2).nextBytes(data);
        volume.write(0, ByteBuffer.wrap(data));
        Backup backup = volume.snapshot("one").backUpTo(target);
        volume.close();
        AtomicBoolean restarted = new AtomicBoolean();

        Volume copy = longhorn.restore(backup, VolumeSpec.named("copy").build(), (done, total) -> {
            if (restarted.compareAndSet(false, true)) {
                restart(2);
            }
        });

        assertThat(restarted).isTrue();
        assertThat(copy.awaitHealthy(Duration.ofMinutes(1))).isTrue();
        assertThat(copy.health().state()).isEqualTo(HealthState.HEALTHY);
        servers.get(0).close();
        servers.get(1).close();
        assertThat(content(copy)).as("by the one that returned").isEqualTo(data);
    }
}
