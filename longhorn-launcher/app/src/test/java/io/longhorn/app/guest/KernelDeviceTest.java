package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The daemon runs in the machine itself, and has its kernel make devices by its NBD or its iSCSI client. A JVM in an emulation takes its time: two minutes a test. */
@Tag("campaign")
class KernelDeviceTest {

    private static final int PORT = 9500;
    private static final String DEVICE = "/dev/longhorn/disk";
    private static final long SIZE = 128 << 20;
    private static final long DATA_BYTES = 1L << 30;
    private static final int MEMORY_MIB = 1280;

    @TempDir
    private static Path images;

    private static GuestImage image;
    private static Path program;

    @TempDir
    private Path directory;

    private Guest guest;

    /** How the kernel comes to its devices, and what it takes before and must not have afterwards. */
    enum Way {
        NBD("modprobe nbd", "! nbd-client -c /dev/nbd0"),
        ISCSI("""
                modprobe iscsi_tcp
                modprobe sd_mod
                echo InitiatorName=iqn.2026-01.test:guest > /etc/iscsi/initiatorname.iscsi
                iscsid > /tmp/iscsid.log 2>&1
                """, "iscsiadm -m session && exit 1; iscsiadm -m node && exit 1; [ ! -e /dev/sda ]");

        private final String preparation;
        private final String nothingLeft;

        Way(String preparation, String nothingLeft) {
            this.preparation = preparation;
            this.nothingLeft = nothingLeft;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @BeforeAll
    static void makeImages() throws Exception {
        image = GuestImage.made(images);
        program = ProgramImage.make(images);
    }

    @AfterEach
    void close() {
        if (guest != null) {
            guest.close();
        }
    }

    private void boot(Way way) throws Exception {
        Path data = directory.resolve("data.img");
        try (FileChannel file = FileChannel.open(data, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(1), DATA_BYTES - 1);
        }
        guest = Guest.bootWithDisks(
                image,
                directory,
                MEMORY_MIB,
                List.of("driver=file,read-only=on,filename=" + program, "driver=file,filename=" + data));
        guest.run("""
                mkdir %1$s /data
                mount -t ext4 -o ro /dev/vda %1$s
                mkfs.ext4 -q /dev/vdb
                mount -t ext4 /dev/vdb /data
                """.formatted(ProgramImage.MOUNT));
        guest.run(way.preparation);
        startDaemon(way);
        post("/v1/volumes", "{\"name\":\"disk\",\"sizeBytes\":" + SIZE + ",\"replicas\":1}");
        assertThat(post("/v1/volumes/disk/attach", "{\"frontend\":\"device\"}")).contains("\"" + DEVICE + "\"");
        guest.run("mkfs.ext4 -q " + DEVICE + "; mount -t ext4 " + DEVICE + " /mnt");
    }

    private void startDaemon(Way way) throws Exception {
        guest.run("""
                rm -f /tmp/said
                setsid %s/longhorn serve --dir /data/longhorn --api 127.0.0.1:%d --device-mechanism %s \
                  > /tmp/said 2>> /tmp/log < /dev/null &
                i=0
                until grep -q ^listening /tmp/said; do
                  i=$((i + 1))
                  [ $i -lt 500 ] || { cat /tmp/log; exit 1; }
                  sleep 0.1
                done
                """.formatted(ProgramImage.MOUNT, PORT, way.label()));
    }

    private String post(String path, String fields) throws Exception {
        String answer = answer(path, fields);
        assertThat(answer).startsWith("HTTP/1.1 20");
        return answer;
    }

    private String answer(String path, String fields) throws Exception {
        return guest.run("""
                printf 'POST %s HTTP/1.0\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%%s' '%s' |
                  nc 127.0.0.1 %d
                """.formatted(path, fields.length(), fields, PORT));
    }

    /** Begins to write files, each with its sum in /tmp/sums once it is synced. */
    private void beginWriting() throws Exception {
        guest.run("""
                cat > /tmp/writer <<'END'
                for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
                  dd if=/dev/urandom of=/mnt/file$i bs=64k count=16 conv=fsync || exit 1
                  sha256sum /mnt/file$i >> /tmp/sums
                  sleep 0.2
                done
                END
                { sh /tmp/writer && echo "ended well" || echo "ended badly"; } > /tmp/written 2>&1 < /dev/null &
                until [ "$(cat /tmp/sums 2> /tmp/none | wc -l)" -ge 3 ]; do sleep 0.1; done
                """);
    }

    private void killDaemon() throws Exception {
        guest.run("kill -9 $(pidof java); while pidof java; do sleep 0.1; done");
    }

    private String writersEnd() throws Exception {
        return guest.run("until grep -q ^ended /tmp/written; do sleep 0.1; done; cat /tmp/written");
    }

    private void detach(Way way) throws Exception {
        post("/v1/volumes/disk/detach", "{}");
        guest.run("[ ! -e " + DEVICE + " ]");
        guest.run(way.nothingLeft);
    }

    @ParameterizedTest
    @EnumSource
    void aDeviceHoldsAFileSystemGrowsAndLeavesNothingBehind(Way way) throws Exception {
        boot(way);
        guest.run("""
                dd if=/dev/urandom of=/mnt/large bs=1M count=16
                cp -a /bin /lib64 /mnt/
                cd /mnt
                find . -type f | xargs sha256sum > /tmp/sums
                """);
        guest.run("sync; echo 3 > /proc/sys/vm/drop_caches; cd /mnt; sha256sum -c /tmp/sums");
        guest.run("rm -r /mnt/*; sync; fstrim -v /mnt");
        post("/v1/volumes/disk/expand", "{\"sizeBytes\":" + 2 * SIZE + "}");
        guest.run("until [ $(blockdev --getsize64 " + DEVICE + ") = " + 2 * SIZE + " ]; do sleep 0.1; done");
        assertThat(answer("/v1/volumes/disk/detach", "{}"))
                .startsWith("HTTP/1.1 503")
                .contains("mounted at /mnt");
        guest.run("umount /mnt; e2fsck -fn " + DEVICE);
        detach(way);
        guest.run("kill $(pidof java); while pidof java; do sleep 0.1; done");
    }

    @Test
    void byNbdADaemonThatWasKilledIsAnErrorAndTheDeviceIsMadeAnew() throws Exception {
        boot(Way.NBD);
        beginWriting();
        killDaemon();
        assertThat(writersEnd()).contains("ended badly\n");
        startDaemon(Way.NBD);
        guest.run("umount /mnt; [ -b " + DEVICE + " ]");
        Guest.Run check = guest.tryRun("e2fsck -p " + DEVICE);
        assertThat(check.exitCode()).as(check.output()).isLessThanOrEqualTo(1);
        assertThat(guest.run("mount -t ext4 " + DEVICE + " /mnt; sha256sum -c /tmp/sums")
                        .lines())
                .hasSizeGreaterThanOrEqualTo(3);
        guest.run("umount /mnt; e2fsck -fn " + DEVICE);
        detach(Way.NBD);
    }

    @Test
    void byIscsiOperationsWaitForADaemonThatWasKilledAndGoOn() throws Exception {
        boot(Way.ISCSI);
        beginWriting();
        killDaemon();
        startDaemon(Way.ISCSI);
        assertThat(writersEnd()).contains("ended well\n");
        guest.run("umount /mnt; echo 3 > /proc/sys/vm/drop_caches; e2fsck -fn " + DEVICE);
        assertThat(guest.run("mount -t ext4 " + DEVICE + " /mnt; sha256sum -c /tmp/sums")
                        .lines())
                .hasSize(12);
        guest.run("umount /mnt");
        detach(Way.ISCSI);
    }
}
