package io.longhorn.replica.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.longhorn.FileTooNewException;
import io.longhorn.ForeignFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** disk.meta and running: what is written is read, what is damaged is refused, and a replacement that fails leaves the old file. */
class DiskMetadataTest {
    private static final UUID DISK = new UUID(0x0102030405060708L, 0x090a0b0c0d0e0f10L);
    private static final UUID CLUSTER = new UUID(0xa0a1a2a3a4a5a6a7L, 0xb0b1b2b3b4b5b6b7L);

    private final MemoryDisk disk = new MemoryDisk();

    private static DiskMeta diskMeta() {
        return DiskMeta.create(DISK).withClusterId(CLUSTER).withNextSlot(18);
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
}
