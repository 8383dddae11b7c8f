package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The NBD client of the Linux kernel, set up by nbd-client. */
@Tag("real")
class KernelNbdClientTest {

    private static final long FILE_BYTES = 24 << 20;
    private static final long FILE_SYSTEM_BYTES_MAX = 16 << 20;

    @TempDir
    private Path directory;

    private NodeDaemon daemon;
    private Guest guest;
    private int port;

    @BeforeEach
    void serve() throws Exception {
        GuestImage image = GuestImage.made(directory);
        daemon = NodeDaemon.start(directory, "128MiB");
        URI uri = URI.create(daemon.attach("nbd", "127.0.0.1:0"));
        assertThat(uri.getPath()).isEqualTo("/disk");
        port = uri.getPort();
        guest = Guest.boot(image, directory);
        guest.run("modprobe nbd");
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

    /** As the daemon's own devices are connected. By netlink, requests in flight would wait for a dead server. */
    private void connect() throws Exception {
        guest.run("nbd-client " + Guest.HOST + " " + port + " /dev/nbd0 -N disk -nonetlink -block-size 512");
    }

    @Test
    void aFileSystemHoldsWhatWasWrittenAndGivesSpaceBack() throws Exception {
        connect();
        assertThat(guest.run("blockdev --getsize64 /dev/nbd0")).isEqualTo((128 << 20) + "\n");
        guest.run("""
                mkfs.ext4 -q /dev/nbd0
                mount -t ext4 /dev/nbd0 /mnt
                dd if=/dev/urandom of=/mnt/large bs=1M count=%d
                cp -a /bin /lib64 /usr /mnt/
                cd /mnt
                find . -type f | xargs sha256sum > /tmp/sums
                """.formatted(FILE_BYTES >> 20));
        guest.run("sync; echo 3 > /proc/sys/vm/drop_caches; cd /mnt; sha256sum -c /tmp/sums");
        // Freed blocks can be trimmed once the journal has them, for which sync alone does not wait.
        guest.run("rm -r /mnt/*; umount /mnt; mount -t ext4 /dev/nbd0 /mnt; fstrim -v /mnt");
        daemon.awaitSpaceBytesBelow(FILE_SYSTEM_BYTES_MAX);
        guest.run("umount /mnt; e2fsck -fn /dev/nbd0");
        guest.run("nbd-client -d /dev/nbd0; ! nbd-client -c /dev/nbd0");
        daemon.detach();
    }

    @Test
    void aKilledDaemonIsAnErrorAndWhatWasSyncedIsThereWhenItIsBack() throws Exception {
        connect();
        guest.run("mkfs.ext4 -q /dev/nbd0; mount -t ext4 /dev/nbd0 /mnt");
        guest.begin("""
                i=0
                while dd if=/dev/urandom of=/mnt/file$i bs=64k count=8 conv=fsync; do
                  sha256sum /mnt/file$i >> /tmp/sums
                  echo "synced file$i"
                  i=$((i + 1))
                done
                """);
        guest.await("synced file3\n");
        daemon.kill();
        String writer = guest.end();
        assertThat(writer).containsPattern("Input/output error|Read-only file system");

        guest.run("umount /mnt; nbd-client -d /dev/nbd0; ! nbd-client -c /dev/nbd0");
        daemon.startAgain();
        connect();
        Guest.Run check = guest.tryRun("e2fsck -p /dev/nbd0");
        assertThat(check.exitCode()).as(check.output()).isLessThanOrEqualTo(1);
        long synced = writer.lines().filter(line -> line.startsWith("synced")).count();
        assertThat(guest.run("mount -t ext4 /dev/nbd0 /mnt; sha256sum -c /tmp/sums")
                        .lines())
                .hasSize((int) synced);
        guest.run("umount /mnt; e2fsck -fn /dev/nbd0; nbd-client -d /dev/nbd0");
        daemon.detach();
    }
}
