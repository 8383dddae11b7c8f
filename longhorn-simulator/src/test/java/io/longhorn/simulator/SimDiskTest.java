package io.longhorn.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SimDiskTest {
    private static final int PAGE = 4096;

    private final SimScheduler scheduler = new SimScheduler(7, new SimTrace(64));
    private final SimHost host = new SimHost(scheduler, "host");
    private final SimDisk disk = new SimDisk(host, "disk");
    private SimProcess process = host.start("process");
    private DiskDirectory files = disk.mount(process, process.newLoop("loop"));

    private void restart() {
        if (!host.isUp()) {
            host.boot();
        }
        process = host.start("process");
        files = disk.mount(process, process.newLoop("loop"));
    }

    private static ByteBuffer filled(int length, int value) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        for (int i = 0; i < length; i++) {
            buffer.put(i, (byte) value);
        }
        return buffer;
    }

    private static byte[] read(DiskFile file, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        file.read(position, buffer);
        return buffer.array();
    }

    private DiskFile stableFile(String name) throws IOException {
        DiskFile file = files.open(name, true);
        files.syncDirectory(SimDisk.parent(name));
        return file;
    }

    @Test
    void processCrashKeepsWhatWasWrittenWithoutSync() throws IOException {
        DiskFile file = files.open("a", true);
        file.write(100, filled(5000, 1));
        process.kill();
        restart();
        assertThat(read(files.open("a", false), 100, 5000)).containsOnly(1);
        assertThat(files.open("a", false).sizeBytes()).isEqualTo(5100);
    }

    @Test
    void powerLossKeepsWhatWasSynced() throws IOException {
        for (int round = 0; round < 50; round++) {
            DiskFile file = stableFile("f" + round);
            file.write(0, filled(3 * PAGE, 1));
            file.sync();
            file.write(PAGE, filled(PAGE, 2));
            host.losePower();
            restart();
            DiskFile again = files.open("f" + round, false);
            assertThat(read(again, 0, PAGE)).containsOnly(1);
            assertThat(read(again, 2 * PAGE, PAGE)).containsOnly(1);
            assertThat(read(again, PAGE, PAGE)).containsAnyOf(1, 2);
        }
    }

    @Test
    void powerLossTearsAtSectorsAndKeepsSubsetsInAnyOrder() throws IOException {
        Set<String> outcomes = new HashSet<>();
        for (int round = 0; round < 300; round++) {
            DiskFile file = stableFile("f" + round);
            file.write(0, filled(2 * PAGE, 1));
            file.sync();
            file.write(0, filled(PAGE, 2));
            file.write(PAGE, filled(PAGE, 3));
            host.losePower();
            restart();
            byte[] first = read(files.open("f" + round, false), 0, PAGE);
            byte[] second = read(files.open("f" + round, false), PAGE, PAGE);
            for (int sector = 0; sector < 8; sector++) {
                for (int i = 1; i < 512; i++) {
                    assertThat(first[sector * 512 + i]).isEqualTo(first[sector * 512]);
                }
            }
            boolean firstNew = first[0] == 2 && first[PAGE - 1] == 2;
            boolean secondNew = second[0] == 3 && second[PAGE - 1] == 3;
            boolean torn = new String(first, java.nio.charset.StandardCharsets.ISO_8859_1)
                            .chars()
                            .distinct()
                            .count()
                    > 1;
            outcomes.add(torn ? "torn" : (firstNew ? "new" : "old") + (secondNew ? "new" : "old"));
        }
        assertThat(outcomes).contains("torn", "oldold", "oldnew", "newold", "newnew");
    }

    @Test
    void versionsBetweenTwoSyncsCanBeWhatPowerLossLeaves() throws IOException {
        boolean between = false;
        for (int round = 0; round < 400; round++) {
            DiskFile file = stableFile("f" + round);
            for (int version = 1; version <= 4; version++) {
                file.write(0, filled(512, version));
            }
            host.losePower();
            restart();
            byte found = read(files.open("f" + round, false), 0, 1)[0];
            between |= found == 2 || found == 3;
        }
        assertThat(between).isTrue();
    }

    @Test
    void namesCanBeLostUntilTheDirectoryIsSynced() throws IOException {
        boolean lost = false;
        boolean kept = false;
        for (int round = 0; round < 60; round++) {
            String name = "f" + round;
            DiskFile file = files.open(name, true);
            file.write(0, filled(10, 1));
            file.sync();
            host.losePower();
            restart();
            lost |= !files.exists(name);
            kept |= files.exists(name);
        }
        assertThat(lost).isTrue();
        assertThat(kept).isTrue();
    }

    @Test
    void renameIsAllOrNothingAndDurableAfterDirectorySync() throws IOException {
        boolean sawOld = false;
        boolean sawNew = false;
        for (int round = 0; round < 60; round++) {
            String name = "f" + round;
            DiskFile old = stableFile(name);
            old.write(0, filled(10, 1));
            old.sync();
            DiskFile next = stableFile(name + ".next");
            next.write(0, filled(10, 2));
            next.sync();
            files.rename(name + ".next", name);
            boolean synced = round % 3 == 0;
            if (synced) {
                files.syncDirectory("");
            }
            host.losePower();
            restart();
            byte found = read(files.open(name, false), 0, 1)[0];
            assertThat(found).isIn((byte) 1, (byte) 2);
            if (synced) {
                assertThat(found).isEqualTo((byte) 2);
                assertThat(files.exists(name + ".next")).isFalse();
            } else {
                sawOld |= found == 1;
                sawNew |= found == 2;
            }
        }
        assertThat(sawOld).isTrue();
        assertThat(sawNew).isTrue();
    }

    @Test
    void contentOfDirectoryThatWasLostIsGone() throws IOException {
        boolean lost = false;
        for (int round = 0; round < 30; round++) {
            String directory = "d" + round;
            files.createDirectories(directory);
            stableFile(directory + "/f");
            host.losePower();
            restart();
            assertThat(files.exists(directory + "/f")).isEqualTo(files.exists(directory));
            lost |= !files.exists(directory);
        }
        assertThat(lost).isTrue();
    }

    @Test
    void failedSyncLosesDataThatReadsStillSee() throws IOException {
        DiskFile file = stableFile("f");
        file.write(0, filled(PAGE, 1));
        file.sync();
        file.write(0, filled(PAGE, 2));
        disk.failSyncs(1);
        assertThatThrownBy(file::sync).isInstanceOf(IOException.class);
        assertThat(read(file, 0, PAGE)).containsOnly(2);
        file.sync();
        host.losePower();
        restart();
        assertThat(read(files.open("f", false), 0, PAGE)).contains((byte) 1);
    }

    @Test
    void droppedCachesShowWhatAFailedSyncLost() throws IOException {
        boolean old = false;
        for (int round = 0; round < 20; round++) {
            DiskFile file = stableFile("f" + round);
            file.write(0, filled(PAGE, 2));
            disk.failSyncs(1);
            assertThatThrownBy(file::sync).isInstanceOf(IOException.class);
            disk.dropCaches();
            old |= read(file, 0, 1)[0] == 0;
        }
        assertThat(old).isTrue();
    }

    @Test
    void fullDiskRefusesPagesAndDeletedFilesGiveThemBack() throws IOException {
        disk.quotaBytes(10 * PAGE);
        DiskFile file = files.open("f", true);
        file.write(0, filled(8 * PAGE, 1));
        assertThatThrownBy(() -> file.write(8 * PAGE, filled(4 * PAGE, 1))).hasMessageContaining("No space left");
        assertThat(files.usableBytes()).isZero();
        file.write(0, filled(8 * PAGE, 2));
        assertThat(file.punch(0, 2 * PAGE)).isTrue();
        assertThat(files.usableBytes()).isEqualTo(2 * PAGE);
        assertThat(read(file, 0, 2 * PAGE)).containsOnly(0);
        file.close();
        files.delete("f");
        assertThat(files.usableBytes()).isEqualTo(10 * PAGE);
    }

    @Test
    void punchedPagesStayPunchedAfterSyncOnly() throws IOException {
        boolean back = false;
        for (int round = 0; round < 30; round++) {
            DiskFile file = stableFile("f" + round);
            file.write(0, filled(2 * PAGE, 1));
            file.sync();
            assertThat(file.punch(0, PAGE)).isTrue();
            if (round % 2 == 0) {
                file.sync();
            }
            long used = disk.usedBytes();
            host.losePower();
            restart();
            byte found = read(files.open("f" + round, false), 0, 1)[0];
            if (round % 2 == 0) {
                assertThat(found).isZero();
                assertThat(disk.usedBytes()).isEqualTo(used);
            } else {
                back |= found == 1;
            }
        }
        assertThat(back).isTrue();
    }

    @Test
    void preallocatedRangeIsZeroAndNeedsNoFurtherSpace() throws IOException {
        DiskFile file = stableFile("f");
        file.write(0, filled(PAGE, 1));
        file.preallocate(0, 4 * PAGE);
        assertThat(read(file, 0, 4 * PAGE)).containsOnly(0);
        disk.quotaBytes(0);
        file.write(0, filled(4 * PAGE, 3));
        file.sync();
        host.losePower();
        restart();
        assertThat(read(files.open("f", false), 0, 4 * PAGE)).containsOnly(3);
    }

    @Test
    void truncateCutsAndExtensionReadsZero() throws IOException {
        DiskFile file = stableFile("f");
        file.write(0, filled(2 * PAGE, 1));
        file.truncate(100);
        file.truncate(2 * PAGE);
        assertThat(read(file, 0, 100)).containsOnly(1);
        assertThat(read(file, 100, 2 * PAGE - 100)).containsOnly(0);
        file.sync();
        host.losePower();
        restart();
        assertThat(read(files.open("f", false), 100, 2 * PAGE - 100)).containsOnly(0);
    }

    @Test
    void armedCrashEndsTheProcessInThatOperation() throws IOException {
        DiskFile file = stableFile("f");
        disk.armCrash(1, process::kill);
        file.write(0, filled(PAGE, 1));
        assertThatThrownBy(() -> file.write(PAGE, filled(PAGE, 2))).isInstanceOf(SimCrash.class);
        assertThat(process.isAlive()).isFalse();
        assertThatThrownBy(() -> file.write(0, filled(PAGE, 3))).isInstanceOf(SimCrash.class);
        restart();
        assertThat(read(files.open("f", false), 0, PAGE)).containsOnly(1);
    }

    @Test
    void flippedBitIsSeenAndBadSectorRefusesUntilWritten() throws IOException {
        DiskFile file = stableFile("f.data");
        file.write(0, filled(PAGE, 0x55));
        file.sync();
        assertThat(disk.flipBit("", ".map")).isEmpty();
        assertThat(disk.flipBit("f", ".data")).isEqualTo("f.data");
        int bits = 0;
        for (byte b : read(file, 0, PAGE)) {
            bits += Integer.bitCount((b ^ 0x55) & 0xff);
        }
        assertThat(bits).isEqualTo(1);
        assertThat(disk.spoilPage("f", ".data")).isEqualTo("f.data");
        assertThatThrownBy(() -> read(file, 0, PAGE)).isInstanceOf(IOException.class);
        file.write(0, filled(PAGE, 1));
        assertThat(read(file, 0, PAGE)).containsOnly(1);
    }

    @Test
    void shortWriteWritesAPartAndFails() throws IOException {
        DiskFile file = stableFile("f");
        disk.failWrites(1);
        assertThatThrownBy(() -> file.write(0, filled(2 * PAGE, 1))).isInstanceOf(IOException.class);
        assertThat(file.sizeBytes()).isLessThanOrEqualTo(2 * PAGE);
    }
}
