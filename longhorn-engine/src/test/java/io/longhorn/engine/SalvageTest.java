package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.HealthState;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.ReplicaNotFoundException;
import io.longhorn.ReplicaStatus;
import io.longhorn.SalvageNeededException;
import io.longhorn.SalvageRefusedException;
import io.longhorn.SalvageReport;
import io.longhorn.SalvageSpec;
import io.longhorn.TooFewReplicasException;
import io.longhorn.Volume;
import io.longhorn.VolumeLostException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas that are added, removed and lost for good, as a program and its operator see it. */
class SalvageTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private final List<ReplicaServer> servers = new ArrayList<>();
    private Longhorn longhorn;

    @BeforeEach
    void start() throws IOException {
        for (int i = 0; i < 4; i++) {
            servers.add(server("disk" + i, new HostPort("127.0.0.1", 0)));
        }
        longhorn = connect();
    }

    @AfterEach
    void stop() {
        longhorn.close();
        servers.forEach(ReplicaServer::close);
    }

    private ReplicaServer server(String disk, HostPort address) throws IOException {
        return ReplicaServer.builder()
                .directory(directory.resolve(disk))
                .listen(address)
                .start();
    }

    private Longhorn connect() {
        LonghornConfig.Builder config = LonghornConfig.builder().registry(directory.resolve("registry"));
        servers.forEach(server -> config.replicaServer(server.address().toString()));
        return Longhorn.connect(config.build());
    }

    /** The server at that place comes back with another, empty disk. */
    private void loseDisk(int index) throws IOException {
        HostPort address = servers.get(index).address();
        servers.get(index).close();
        servers.set(index, server("fresh" + index, address));
    }

    private Volume create() {
        return longhorn.create(
                VolumeSpec.named("orders").sizeBytes(1 << 20).replicas(3).build());
    }

    private static void write(Volume volume, int block, int value) {
        byte[] data = new byte[BLOCK];
        Arrays.fill(data, (byte) value);
        volume.write(block * (long) BLOCK, ByteBuffer.wrap(data));
    }

    private static byte[] read(Volume volume, int block) {
        ByteBuffer target = ByteBuffer.allocate(BLOCK);
        volume.read(block * (long) BLOCK, target);
        return target.array();
    }

    private int serverOf(ReplicaStatus replica) {
        for (int i = 0; i < servers.size(); i++) {
            if (servers.get(i).address().toString().equals(replica.location())) {
                return i;
            }
        }
        throw new AssertionError("no server for " + replica);
    }

    /** A volume of three replicas that went on with two of them; the places of those two, and behind them of the one that stayed behind. */
    private int[] leaveOneBehind(Volume volume) throws IOException {
        write(volume, 0, 1);
        volume.flush();
        List<ReplicaStatus> replicas = volume.replicas().list();
        int behind = serverOf(replicas.get(2));
        HostPort address = servers.get(behind).address();
        servers.get(behind).close();
        write(volume, 0, 2);
        volume.close();
        longhorn.close();
        servers.set(behind, server("disk" + behind, address));
        return new int[] {serverOf(replicas.get(0)), serverOf(replicas.get(1)), behind};
    }

    @Test
    void whatIsLeftOfAVolumeIsSalvagedWhenSomebodySaysSo() throws Exception {
        Volume volume = create();
        int[] places = leaveOneBehind(volume);
        loseDisk(places[0]);
        loseDisk(places[1]);
        longhorn = connect();

        assertThatThrownBy(() -> longhorn.open("orders"))
                .isInstanceOf(SalvageNeededException.class)
                .hasMessageContaining(servers.get(places[2]).address().toString())
                .hasMessageContaining("salvage");
        SalvageReport report = longhorn.salvage("orders", SalvageSpec.careful());

        assertThat(report.location()).isEqualTo(servers.get(places[2]).address().toString());
        assertThat(report.mayHaveLostWrites()).isTrue();
        assertThat(report.mixed()).isFalse();
        assertThat(report.dropped()).hasSize(2);
        assertThat(report.volume()).isEqualTo("orders");
        assertThat(report.lastSequence()).isPositive();
        Volume saved = longhorn.open("orders");
        assertThat(read(saved, 0)).containsOnly(1);
        write(saved, 1, 3);
        assertThat(saved.awaitHealthy(LIMIT)).isTrue();
        assertThat(saved.health().replicasInSync()).isEqualTo(3);
        assertThat(report.epoch()).isPositive();
    }

    @Test
    void aVolumeThatCanBeOpenedIsNotSalvaged() throws IOException {
        Volume volume = create();
        assertThatThrownBy(() -> longhorn.salvage("orders", SalvageSpec.careful()))
                .isInstanceOf(SalvageRefusedException.class)
                .hasMessageContaining("open");
        leaveOneBehind(volume);
        longhorn = connect();

        assertThatThrownBy(() -> longhorn.salvage("orders", SalvageSpec.careful()))
                .isInstanceOf(SalvageRefusedException.class)
                .hasMessageContaining("can be opened");
        assertThat(read(longhorn.open("orders"), 0)).containsOnly(2);
        assertThatThrownBy(() -> longhorn.salvage("receipts", SalvageSpec.careful()))
                .isInstanceOf(VolumeNotFoundException.class);
    }

    @Test
    void onlyAReplicaThatAnswersCanBeNamed() throws IOException {
        Volume volume = create();
        int[] places = leaveOneBehind(volume);
        loseDisk(places[0]);
        loseDisk(places[1]);
        longhorn = connect();
        UUID nobody = UUID.randomUUID();

        assertThatThrownBy(
                        () -> longhorn.salvage("orders", SalvageSpec.careful().fromReplica(nobody)))
                .isInstanceOf(SalvageRefusedException.class)
                .hasMessageContaining(nobody.toString());
    }

    @Test
    void aVolumeWithoutAnyReplicaIsLost() throws IOException {
        Volume volume = create();
        int[] places = leaveOneBehind(volume);
        for (int place : places) {
            loseDisk(place);
        }
        longhorn = connect();

        assertThatThrownBy(() -> longhorn.open("orders")).isInstanceOf(VolumeLostException.class);
        assertThatThrownBy(
                        () -> longhorn.salvage("orders", SalvageSpec.careful().evenIfInUse()))
                .isInstanceOf(VolumeLostException.class);
    }

    @Test
    void replicasAreAddedAndRemovedByHand() throws Exception {
        Volume volume = create();
        write(volume, 0, 1);
        List<ReplicaStatus> before = volume.replicas().list();

        ReplicaStatus fourth = volume.replicas().add();

        assertThat(before).extracting(ReplicaStatus::location).doesNotContain(fourth.location());
        assertThat(volume.awaitHealthy(LIMIT)).isTrue();
        assertThat(volume.replicas().wanted()).isEqualTo(4);
        assertThatThrownBy(() -> volume.replicas().add()).isInstanceOf(TooFewReplicasException.class);
        assertThatThrownBy(() -> volume.replicas().add(fourth.location()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(fourth.location());
        for (ReplicaStatus replica : before) {
            volume.replicas().remove(replica.id());
        }
        assertThat(volume.replicas().list()).extracting(ReplicaStatus::id).containsExactly(fourth.id());
        assertThat(read(volume, 0)).containsOnly(1);
        assertThat(volume.health().state()).isEqualTo(HealthState.HEALTHY);
        assertThatThrownBy(() -> volume.replicas().remove(fourth.id())).isInstanceOf(TooFewReplicasException.class);
        assertThatThrownBy(() -> volume.replicas().remove(before.get(0).id()))
                .isInstanceOf(ReplicaNotFoundException.class);
        for (ReplicaStatus replica : before) {
            assertThat(HostedReplicas.on(directory.resolve("disk" + serverOf(replica))))
                    .isEmpty();
        }
        volume.replicas().add(before.get(1).location());
        assertThat(volume.awaitHealthy(LIMIT)).isTrue();
        assertThat(volume.health().replicasInSync()).isEqualTo(2);
    }

    @Test
    void embeddedReplicasStayWhereTheyAre() {
        try (Longhorn embedded = Longhorn.embedded(directory.resolve("embedded"))) {
            Volume volume =
                    embedded.create(VolumeSpec.named("local").sizeBytes(1 << 20).build());

            assertThatThrownBy(() -> volume.replicas().add("127.0.0.1:9500"))
                    .isInstanceOf(UnsupportedOperationException.class);
            assertThatThrownBy(() -> volume.replicas().add()).isInstanceOf(TooFewReplicasException.class);
        }
    }
}
