package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.longhorn.FileTooNewException;
import io.longhorn.ForeignFileException;
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

/** disk.meta, running and replica.meta: what is written is read, what is damaged is refused, and a crash leaves the old file or the new one. */
class MetadataFilesTest {
    private static final UUID DISK = new UUID(0x0102030405060708L, 0x090a0b0c0d0e0f10L);
    private static final UUID CLUSTER = new UUID(0xa0a1a2a3a4a5a6a7L, 0xb0b1b2b3b4b5b6b7L);
    private static final UUID REPLICA = new UUID(0xe0e1e2e3e4e5e6e7L, 0xf0f1f2f3f4f5f6f7L);
    private static final UUID VOLUME = new UUID(0xc0c1c2c3c4c5c6c7L, 0xd0d1d2d3d4d5d6d7L);
    private static final UUID ENGINE = new UUID(0x1111222233334444L, 0x5555666677778888L);
    private static final String PLACE = "replicas/orders-e0e1e2e3";

    private final MemoryDisk disk = new MemoryDisk();

    private static DiskMeta diskMeta() {
        return DiskMeta.create(DISK).withClusterId(CLUSTER).withNextSlot(18);
    }

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
    void diskMetaIsReadAsItWasWritten() throws IOException {
        assertThat(DiskMeta.exists(disk)).isFalse();
        diskMeta().write(disk);
        assertThat(DiskMeta.exists(disk)).isTrue();
        assertThat(DiskMeta.read(disk)).isEqualTo(diskMeta());
        diskMeta().withNextSlot(19).write(disk);
        assertThat(DiskMeta.read(disk)).isEqualTo(diskMeta().withNextSlot(19));
    }

    @Test
    void diskMetaFollowsItsVector() throws IOException {
        diskMeta().write(disk);
        GoldenFile.check("disk/v1/disk-meta", disk.bytes(DiskMeta.FILE), file -> {
            disk.put(DiskMeta.FILE, file);
            return DiskMeta.read(disk).toString();
        });
    }

    @Test
    void damagedDiskMetaIsRefused() throws IOException {
        diskMeta().write(disk);
        DamageList damage = new DamageList(disk, DiskMeta.FILE, () -> DiskMeta.read(disk));
        damage.check();
        damage.refuseBody(
                "slot 0",
                new FieldWriter()
                        .uuid(CLUSTER)
                        .i32(0)
                        .zeroes(20)
                        .written()
                        .array()
                        .clone());
        damage.refuseBody("short", Arrays.copyOf(damage.body(), damage.body().length - 1));
        damage.refuseBody("long", Arrays.copyOf(damage.body(), damage.body().length + 1));
    }

    @Test
    void runMarkerIsReadAsItWasWritten() throws IOException {
        assertThat(RunMarker.read(disk, DISK)).isEqualTo(RunMarker.UNKNOWN);
        for (RunMarker marker : List.of(new RunMarker("boot-17", false), new RunMarker("", true))) {
            marker.write(disk, DISK);
            assertThat(RunMarker.read(disk, DISK)).isEqualTo(marker);
        }
    }

    @Test
    void runMarkerFollowsItsVector() throws IOException {
        new RunMarker("boot-17", true).write(disk, DISK);
        GoldenFile.check("disk/v1/running", disk.bytes(RunMarker.FILE), file -> {
            disk.put(RunMarker.FILE, file);
            return RunMarker.read(disk, DISK).toString();
        });
    }

    @Test
    void damagedRunMarkerSaysNothingAndNeverClean() throws IOException {
        new RunMarker("boot-17", true).write(disk, DISK);
        byte[] good = disk.bytes(RunMarker.FILE);
        for (int length = 0; length < good.length; length++) {
            disk.put(RunMarker.FILE, Arrays.copyOf(good, length));
            assertThat(RunMarker.read(disk, DISK)).isEqualTo(RunMarker.UNKNOWN);
        }
        for (int at = FileHeader.FORMAT_OFFSET; at < good.length; at++) {
            disk.put(RunMarker.FILE, good);
            disk.flip(RunMarker.FILE, at, 0x10);
            assertThat(RunMarker.read(disk, DISK)).isEqualTo(RunMarker.UNKNOWN);
        }
        disk.put(RunMarker.FILE, good);
        assertThatExceptionOfType(ForeignFileException.class).isThrownBy(() -> RunMarker.read(disk, CLUSTER));
        disk.put(RunMarker.FILE, newer(good));
        assertThatExceptionOfType(FileTooNewException.class).isThrownBy(() -> RunMarker.read(disk, DISK));
    }

    private static byte[] newer(byte[] file) {
        ByteBuffer b = ByteBuffer.wrap(file.clone()).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        b.putShort(FileHeader.VERSION_OFFSET, (short) 2);
        b.putInt(
                FileHeader.HEADER_CRC_OFFSET, io.longhorn.replica.wire.Checksum.of(b, 0, FileHeader.HEADER_CRC_OFFSET));
        return b.array();
    }

    @Test
    void whatCannotBeReadIsDamage() throws IOException {
        diskMeta().write(disk);
        new RunMarker("boot-17", true).write(disk, DISK);
        disk.unreadable.add(DiskMeta.FILE + "@0");
        disk.unreadable.add(RunMarker.FILE + "@0");
        assertThatExceptionOfType(io.longhorn.DamagedFileException.class).isThrownBy(() -> DiskMeta.read(disk));
        assertThat(RunMarker.read(disk, DISK)).isEqualTo(RunMarker.UNKNOWN);
    }

    @Test
    void onlyACleanStopOrTheSameBootProvesThatNothingWasLost() {
        assertThat(new RunMarker("a", true).mayHaveLostWrites("b")).isFalse();
        assertThat(new RunMarker("a", false).mayHaveLostWrites("a")).isFalse();
        assertThat(new RunMarker("a", false).mayHaveLostWrites("b")).isTrue();
        assertThat(new RunMarker("", false).mayHaveLostWrites("")).isTrue();
        assertThat(new RunMarker("a", false).mayHaveLostWrites("")).isTrue();
        assertThat(RunMarker.UNKNOWN.mayHaveLostWrites("a")).isTrue();
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
    void aReplacementThatFailsLeavesTheOldFileAndIsCleanedUp() throws IOException {
        diskMeta().write(disk);
        disk.failingSync = MetadataFile.LEFTOVER_SUFFIX;
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> diskMeta().withNextSlot(99).write(disk));
        disk.failingSync = "-none-";
        assertThat(DiskMeta.read(disk)).isEqualTo(diskMeta());
        assertThat(disk.list("")).contains(DiskMeta.FILE + MetadataFile.LEFTOVER_SUFFIX);
        diskMeta().withNextSlot(20).write(disk);
        assertThat(DiskMeta.read(disk)).isEqualTo(diskMeta().withNextSlot(20));
        disk.put("other" + MetadataFile.LEFTOVER_SUFFIX, new byte[3]);
        MetadataFile.removeLeftovers(disk, "");
        assertThat(disk.list("")).containsExactly(DiskMeta.FILE);
        assertThat(disk.open).isZero();
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
