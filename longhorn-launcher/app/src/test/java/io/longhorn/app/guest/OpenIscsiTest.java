package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The iSCSI initiator of Linux: the kernel's iscsi_tcp with the daemon and commands of open-iscsi. */
@Tag("real")
class OpenIscsiTest {

    private static final long FILE_BYTES = 24 << 20;
    private static final long FILE_SYSTEM_BYTES_MAX = 16 << 20;

    @TempDir
    private Path directory;

    private NodeDaemon daemon;
    private Guest guest;
    private String node;

    @BeforeEach
    void serve() throws Exception {
        GuestImage image = GuestImage.made(directory);
        daemon = NodeDaemon.start(directory, "128MiB");
        URI uri = URI.create(daemon.attach("iscsi", "127.0.0.1:0"));
        String portal = Guest.HOST + ":" + uri.getPort();
        String iqn = "iqn.2026-01.io.longhorn:disk";
        assertThat(uri.getPath()).isEqualTo("/" + iqn + "/1");
        node = "iscsiadm -m node -T " + iqn + " -p " + portal;
        guest = Guest.boot(image, directory);
        guest.run("""
                modprobe iscsi_tcp
                modprobe sd_mod
                echo InitiatorName=iqn.2026-01.test:guest > /etc/iscsi/initiatorname.iscsi
                iscsid > /tmp/iscsid.log 2>&1
                """);
        assertThat(guest.run("iscsiadm -m discovery -t sendtargets -p " + portal))
                .isEqualTo("127.0.0.1:" + uri.getPort() + ",1 " + iqn + "\n");
        // The guest reaches the portal at another address than the one that the portal knows and tells.
        guest.run("""
                iscsiadm -m node -o delete
                %1$s -o new
                %1$s -o update -n node.session.timeo.replacement_timeout -v 600
                %1$s --login
                until [ -b /dev/sda ]; do sleep 0.1; done
                """.formatted(node));
    }

    @AfterEach
    void close() {
        if (guest != null) {
            guest.close();
        }
        if (daemon != null) {
            daemon.close();
        }
    }

    @Test
    void aFileSystemHoldsWhatWasWrittenAndGivesSpaceBack() throws Exception {
        assertThat(guest.run("blockdev --getsize64 /dev/sda; cat /sys/block/sda/device/vendor"))
                .startsWith((128 << 20) + "\n");
        guest.run("""
                mkfs.ext4 -q /dev/sda
                mount -t ext4 /dev/sda /mnt
                dd if=/dev/urandom of=/mnt/large bs=1M count=%d
                cp -a /bin /lib64 /usr /mnt/
                cd /mnt
                find . -type f | xargs sha256sum > /tmp/sums
                """.formatted(FILE_BYTES >> 20));
        guest.run("sync; echo 3 > /proc/sys/vm/drop_caches; cd /mnt; sha256sum -c /tmp/sums");
        // Freed blocks can be trimmed once the journal has them, for which sync alone does not wait.
        guest.run("rm -r /mnt/*; umount /mnt; mount -t ext4 /dev/sda /mnt; fstrim -v /mnt");
        daemon.awaitSpaceBytesBelow(FILE_SYSTEM_BYTES_MAX);
        guest.run("umount /mnt; e2fsck -fn /dev/sda");
        guest.run(node + " --logout; [ ! -e /dev/sda ]");
        daemon.detach();
    }

    @Test
    void operationsWaitForADaemonThatWasKilledAndGoOn() throws Exception {
        guest.run("mkfs.ext4 -q /dev/sda; mount -t ext4 /dev/sda /mnt");
        guest.begin("""
                for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
                  dd if=/dev/urandom of=/mnt/file$i bs=64k count=16 conv=fsync
                  sha256sum /mnt/file$i >> /tmp/sums
                  echo "synced file$i"
                done
                """);
        guest.await("synced file2\n");
        daemon.kill();
        assertThat(guest.heard()).doesNotContain("synced file11\n");
        daemon.startAgain();
        assertThat(guest.end()).contains("synced file11\n").doesNotContain("error");
        guest.run("umount /mnt; echo 3 > /proc/sys/vm/drop_caches; e2fsck -fn /dev/sda");
        assertThat(guest.run("mount -t ext4 /dev/sda /mnt; sha256sum -c /tmp/sums")
                        .lines())
                .hasSize(12);
        guest.run("umount /mnt; " + node + " --logout");
        daemon.detach();
    }
}
