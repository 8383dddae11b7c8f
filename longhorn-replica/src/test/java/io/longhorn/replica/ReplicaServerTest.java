package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DiskLockedException;
import io.longhorn.ForeignFileException;
import io.longhorn.HostPort;
import io.longhorn.InsecureListenException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server as its owner starts and stops it. */
class ReplicaServerTest {
    private static final HostPort ANY_PORT = new HostPort("127.0.0.1", 0);

    @TempDir
    Path directory;

    @Test
    void startsAgainWhereItStopped() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        for (int start = 0; start < 3; start++) {
            try (ReplicaServer server = server(disk, ANY_PORT)) {
                assertThat(server.address().port()).isPositive();
            }
        }
        assertThat(threadsLeft()).isEmpty();
    }

    /** Found by CI: the disk went on making journal segments for a server that had not come to be. */
    @Test
    void startThatFailsLeavesNothingRunning() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            HostPort address = new HostPort("127.0.0.1", taken.getLocalPort());
            for (int start = 0; start < 5; start++) {
                assertThatThrownBy(() -> server(disk, address)).hasMessageContaining(address.toString());
                assertThat(threadsLeft()).isEmpty();
            }
        }
        server(disk, ANY_PORT).close();
    }

    @Test
    void directoryInUseIsLeftAlone() throws IOException {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        try (ReplicaServer server = server(disk, ANY_PORT)) {
            assertThat(server.address().port()).isPositive();
            assertThatThrownBy(() -> server(disk, ANY_PORT))
                    .isInstanceOf(DiskLockedException.class)
                    .hasMessageContaining(disk.toString());
        }
    }

    @Test
    void missingDirectoryIsNamed() {
        Path mount = directory.resolve("mount");
        Path disk = mount.resolve("disk");
        assertThatThrownBy(() -> server(disk, ANY_PORT))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining(disk.toString());
        assertThat(mount).doesNotExist();
    }

    @Test
    void fileInPlaceOfADirectoryIsNamedAndKept() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "mine");
        assertThatThrownBy(() -> server(file, ANY_PORT)).hasMessageContaining(file.toString());
        assertThat(file).hasContent("mine");
    }

    @Test
    void strangersFilesAreKept() throws IOException {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        Path mine = Files.writeString(disk.resolve("letter.txt"), "mine");
        assertThatThrownBy(() -> server(disk, ANY_PORT))
                .isInstanceOf(ForeignFileException.class)
                .hasMessageContaining(mine.toString());
        assertThat(mine).hasContent("mine");
    }

    @Test
    void doesNotListenBeyondLoopbackWithoutSecret() throws IOException {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        assertThatThrownBy(() -> server(disk, new HostPort("0.0.0.0", 0))).isInstanceOf(InsecureListenException.class);
        assertThat(disk).isEmptyDirectory();
    }

    private static ReplicaServer server(Path disk, HostPort address) throws IOException {
        return ReplicaServer.builder().directory(disk).listen(address).start();
    }

    /** The threads of servers and disks in this process that do not end by themselves. */
    private static List<String> threadsLeft() throws InterruptedException {
        List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("longhorn-"))
                .toList();
        for (Thread thread : threads) {
            thread.join(10_000);
        }
        return threads.stream().filter(Thread::isAlive).map(Thread::getName).toList();
    }
}
