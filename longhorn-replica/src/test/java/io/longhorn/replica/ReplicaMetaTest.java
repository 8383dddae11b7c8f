package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.longhorn.replica.disk.DamageList;
import io.longhorn.replica.disk.FileKind;
import io.longhorn.replica.disk.GoldenFile;
import io.longhorn.replica.disk.MemoryDisk;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** replica.meta: what is written is read, what is damaged is refused, and a crash leaves the old file or the new one. */
class ReplicaMetaTest {
    private static final UUID CLUSTER = new UUID(0xa0a1a2a3a4a5a6a7L, 0xb0b1b2b3b4b5b6b7L);
    private static final UUID REPLICA = new UUID(0xe0e1e2e3e4e5e6e7L, 0xf0f1f2f3f4f5f6f7L);
    private static final UUID VOLUME = new UUID(0xc0c1c2c3c4c5c6c7L, 0xd0d1d2d3d4d5d6d7L);
    private static final UUID ENGINE = new UUID(0x1111222233334444L, 0x5555666677778888L);
    private static final String PLACE = "replicas/orders-e0e1e2e3";

    private final MemoryDisk disk = new MemoryDisk();

    /** Every field holds something; never changes, as its vector does not. */
    static ReplicaMeta replicaMeta() {
        LayerId first = LayerId.ROOT;
        LayerId second = new LayerId(3, 400);
        LayerId head = new LayerId(5, 900);
        return ReplicaMeta.create(REPLICA, 17, VOLUME, "orders", CLUSTER, 1L << 30)
                .change()
                .promised(7, ENGINE, 42)
                .checkpointedSequence(950)
                .committedSequence(998)
                .certainSequence(990)
                .damaged(true)
                .mixed(new ReplicaMeta.Mixed(77, 700, 1000))
                .history(List.of(new Message.EpochStart(3, 1), new Message.EpochStart(5, 700)))
                .layers(List.of(
                        new Message.Layer(first, LayerId.LIVE, 400, "", false, true, 0, 1L << 29, 8192, Map.of()),
                        new Message.Layer(
                                second,
                                first,
                                900,
                                "before-migration",
                                true,
                                false,
                                1_700_000_000_000L,
                                1L << 29,
                                4096,
                                Map.of("why", "Umzug für später")),
                        new Message.Layer(
                                head, second, 0, "", false, false, 1_700_000_000_001L, 1L << 30, 0, Map.of())))
                .build();
    }

    @Test
    void replicaMetaIsReadAsItWasWritten() throws IOException {
        disk.createDirectories(PLACE);
        ReplicaMeta empty = ReplicaMeta.create(REPLICA, 1, VOLUME, "orders", CLUSTER, 4096);
        for (ReplicaMeta meta : List.of(empty, replicaMeta())) {
            meta.write(disk, PLACE);
            assertThat(ReplicaMeta.read(disk, PLACE)).isEqualTo(meta);
        }
        assertThat(empty.head().id()).isEqualTo(LayerId.ROOT);
        assertThat(empty.uncertain()).isFalse();
        assertThat(replicaMeta().head().id()).isEqualTo(new LayerId(5, 900));
        assertThat(replicaMeta().uncertain()).isTrue();
    }

    @Test
    void replicaMetaFollowsItsVector() throws IOException {
        disk.createDirectories(PLACE);
        replicaMeta().write(disk, PLACE);
        String name = PLACE + "/" + ReplicaMeta.FILE;
        GoldenFile.check("replica/v1/replica-meta", disk.bytes(name), file -> {
            disk.put(name, file);
            return ReplicaMeta.read(disk, PLACE).toString().replace(", ", ",\n");
        });
    }

    @Test
    void damagedReplicaMetaIsRefused() throws IOException {
        disk.createDirectories(PLACE);
        replicaMeta().write(disk, PLACE);
        DamageList damage = new DamageList(disk, PLACE + "/" + ReplicaMeta.FILE, () -> ReplicaMeta.read(disk, PLACE));
        damage.check();
        byte[] body = damage.body();
        for (int length = 0; length < body.length; length++) {
            damage.refuseBody("body cut to " + length, Arrays.copyOf(body, length));
        }
        // Bytes that match their checksum and yet make no sense: refused or understood, never an error of another kind.
        Random random = new Random(4);
        for (int i = 0; i < 20_000; i++) {
            byte[] wrong = body.clone();
            wrong[random.nextInt(wrong.length)] = (byte) random.nextInt();
            disk.put(PLACE + "/" + ReplicaMeta.FILE, resealed(disk, wrong));
            try {
                ReplicaMeta read = ReplicaMeta.read(disk, PLACE);
                assertThat(read.layers()).hasSize(3);
            } catch (io.longhorn.DamagedFileException e) {
                assertThat(e.reason()).isNotEmpty();
            }
        }
    }

    private static byte[] resealed(MemoryDisk scratch, byte[] body) throws IOException {
        MetadataFile.replace(scratch, "scratch", FileKind.REPLICA, REPLICA, ByteBuffer.wrap(body));
        return scratch.bytes("scratch");
    }

    @Test
    void replicaMetaRefusesWhatCannotBe() {
        ReplicaMeta good = replicaMeta();
        Message.Layer head = good.head();
        Message.Layer root = good.layers().get(0);
        assertRefused(good.change().sizeBytes(4097));
        assertRefused(good.change().sizeBytes(0));
        assertRefused(good.change().committedSequence(949));
        assertRefused(good.change().certainSequence(-2));
        assertRefused(good.change().layers(List.of()));
        assertRefused(good.change().layers(List.of(root)));
        assertRefused(good.change().layers(List.of(head)));
        assertRefused(good.change().layers(List.of(root, root, head)));
        assertRefused(good.change().history(List.of(new Message.EpochStart(5, 1), new Message.EpochStart(3, 700))));
        assertRefused(good.change().history(List.of(new Message.EpochStart(3, 700), new Message.EpochStart(5, 1))));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReplicaMeta.create(REPLICA, 0, VOLUME, "orders", CLUSTER, 4096));
    }

    private static void assertRefused(ReplicaMetaBuilder builder) {
        assertThatIllegalArgumentException().isThrownBy(builder::build);
    }

    @Test
    void historySaysWhichEpochARecordIsOf() {
        assertThat(replicaMeta().epochAt(0)).isZero();
        assertThat(replicaMeta().epochAt(1)).isEqualTo(3);
        assertThat(replicaMeta().epochAt(699)).isEqualTo(3);
        assertThat(replicaMeta().epochAt(700)).isEqualTo(5);
        assertThat(replicaMeta().epochAt(1 << 20)).isEqualTo(5);
    }

    @Test
    void directoryNamesHoldNothingThatLeavesTheDirectory() {
        assertThat(ReplicaMeta.directoryName("orders", REPLICA)).isEqualTo("orders-e0e1e2e3");
        assertThat(ReplicaMeta.directoryName("../../etc", REPLICA)).isEqualTo(".._.._etc-e0e1e2e3");
        assertThat(ReplicaMeta.directoryName("..", REPLICA)).isEqualTo("..-e0e1e2e3");
        assertThat(ReplicaMeta.directoryName("ä/ö", new UUID(1, 2))).isEqualTo("___-00000000");
    }

    @Test
    void powerLossLeavesTheOldFileOrTheNewOne() throws IOException {
        for (long seed = 0; seed < 200; seed++) {
            MemoryDisk each = new MemoryDisk();
            Random random = new Random(seed);
            each.createDirectories(PLACE);
            ReplicaMeta old = replicaMeta();
            old.write(each, PLACE);
            int syncsBefore = each.syncs;
            ReplicaMeta next = old.change().checkpointedSequence(960).build();
            each.failingSync = random.nextBoolean() ? MetadataFile.LEFTOVER_SUFFIX : "directory";
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> next.write(each, PLACE));
            assertThat(each.syncs).isGreaterThan(syncsBefore);
            each.failingSync = "-none-";
            each.crash(random);
            assertThat(ReplicaMeta.read(each, PLACE)).as("seed %d", seed).isIn(old, next);
            next.write(each, PLACE);
            each.forgetUnsynced();
            assertThat(ReplicaMeta.read(each, PLACE)).isEqualTo(next);
        }
    }
}
