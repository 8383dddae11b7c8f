package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A virtual machine whose disk is a volume, by the NBD client that is in QEMU. */
@Tag("real")
class VirtualMachineTest {

    private static final Pattern SYNCED = Pattern.compile("^synced ([0-9a-f]{64})  (/file[0-9]+)\n", Pattern.MULTILINE);

    @TempDir
    private Path directory;

    private GuestImage image;
    private NodeDaemon daemon;
    private Guest guest;

    @BeforeEach
    void serve() throws Exception {
        image = GuestImage.made(directory);
        daemon = NodeDaemon.start(directory, "256MiB");
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

    /** Puts a system on the disk, from the one in memory. */
    private void install(String drive) throws Exception {
        guest = Guest.bootWithDisk(image, directory, drive);
        guest.run("""
                mkfs.ext4 -q /dev/vda
                mount -t ext4 /dev/vda /mnt
                cd /mnt
                mkdir dev proc sys run tmp mnt
                cp -a /bin /sbin /etc /init /lib /lib64 /usr /var /mnt/
                cd /
                umount /mnt
                """);
        guest.cutPower();
    }

    private static String write(String count) {
        return """
                i=0
                while [ $i -lt %s ]; do
                  dd if=/dev/urandom of=/file$i bs=64k count=4 conv=fsync
                  echo "synced $(sha256sum /file$i)"
                  i=$((i + 1))
                done
                """.formatted(count);
    }

    /** The files that the writer confirmed, with their sums. */
    private static Map<String, String> synced(String heard) {
        Map<String, String> files = new TreeMap<>();
        Matcher matcher = SYNCED.matcher(heard);
        while (matcher.find()) {
            files.put(matcher.group(2), matcher.group(1));
        }
        return files;
    }

    private void expectOnDisk(Map<String, String> files) throws Exception {
        String sums = guest.run("sha256sum " + String.join(" ", files.keySet()));
        files.forEach((file, sum) -> assertThat(sums).contains(sum + "  " + file + "\n"));
    }

    @Test
    void itBootsAgainAfterAPowerCutWithAllThatWasSynced() throws Exception {
        Path socket = directory.resolve("nbd.sock");
        assertThat(daemon.attach("nbd", "unix:" + socket)).isEqualTo("nbd+unix:///disk?socket=" + socket);
        String drive = "driver=nbd,export=disk,discard=unmap,server.type=unix,server.path=" + socket;
        install(drive);

        guest = Guest.bootFromDisk(image, directory, drive);
        assertThat(guest.said()).contains("clean", "-- checked 0\n");
        assertThat(guest.run("df / | tail -n 1")).startsWith("/dev/vda ");
        guest.begin(write("1000000"));
        guest.await("/file7\n");
        guest.cutPower();
        Map<String, String> files = synced(guest.heard());
        assertThat(files).hasSizeGreaterThanOrEqualTo(8);

        guest = Guest.bootFromDisk(image, directory, drive);
        assertThat(guest.said()).contains("recovering journal").containsPattern("-- checked [01]\n");
        expectOnDisk(files);
        guest.run("sync; mount -o remount,ro /; e2fsck -fn /dev/vda");
        guest.close();
    }

    @Test
    void itWaitsForADaemonThatWasKilledAndGoesOn() throws Exception {
        URI uri = URI.create(daemon.attach("nbd", "127.0.0.1:0"));
        String drive = "driver=nbd,export=disk,discard=unmap,server.type=inet,server.host=127.0.0.1,reconnect-delay=60,"
                + "server.port=" + uri.getPort();
        install(drive);

        guest = Guest.bootFromDisk(image, directory, drive);
        guest.begin(write("16"));
        guest.await("/file3\n");
        daemon.kill();
        assertThat(synced(guest.heard())).doesNotContainKey("/file15");
        daemon.startAgain();
        Map<String, String> files = synced(guest.end());
        assertThat(files).hasSize(16);
        guest.run("sync; echo 3 > /proc/sys/vm/drop_caches");
        expectOnDisk(files);
        guest.run("mount -o remount,ro /; e2fsck -fn /dev/vda");
    }
}
