package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.MemoryDevice;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NbdServerTest {

    private static final int SIZE = 1 << 20;
    private static final int ESHUTDOWN = 108;

    private final MemoryDevice disk = new MemoryDevice("disk", SIZE);

    @Test
    void volumeIsServedOverTcpAndUnixSocketAtOnce(@TempDir Path directory) throws Exception {
        Path socket = directory.resolve("nbd.sock");
        try (Longhorn longhorn = Longhorn.embedded(directory.resolve("data"));
                Volume volume = longhorn.create(
                        VolumeSpec.named("disk").sizeBytes(8 << 20).build());
                ServedDevices served = ServedDevices.of(settings -> settings.listen(socket), BlockDevice.of(volume))) {
            List<NbdAddress> addresses = served.server().addresses();
            assertThat(addresses).hasSize(2);
            assertThat(served.server().uri("disk")).matches("nbd://127\\.0\\.0\\.1:[1-9][0-9]*/disk");
            assertThat(served.server().uri(addresses.get(1), "disk")).isEqualTo("nbd+unix:///disk?socket=" + socket);
            try (NbdClient first = NbdClient.structured(addresses.get(0), "disk");
                    NbdClient second = NbdClient.structured(addresses.get(1), "disk")) {
                byte[] data = new byte[3 << 20];
                Arrays.fill(data, (byte) 7);
                assertThat(first.write(4000, data)).isZero();
                assertThat(first.request(0, 3, 0, 0).error()).isZero();
                assertThat(second.read(4000, data.length)).isEqualTo(data);
                ByteBuffer byLibrary = ByteBuffer.allocate(1);
                volume.read(4000, byLibrary);
                assertThat(byLibrary.get(0)).isEqualTo((byte) 7);
                volume.expandTo(16 << 20);
                assertThat(second.write(15 << 20, data(4096))).isZero();
                NbdClient.Reply status = first.request(0, 7, 8 << 20, 8 << 20);
                assertThat(status.number(4, 4)).isEqualTo(7 << 20);
                assertThat(status.number(8, 4)).isEqualTo(3);
                assertThat(status.number(12, 4)).isEqualTo(4096);
                assertThat(status.number(16, 4)).isZero();
            }
        }
        assertThat(socket).doesNotExist();
    }

    @Test
    void nameIsServedOnce() {
        try (ServedDevices served = ServedDevices.of(disk)) {
            assertThatThrownBy(() -> served.server().serve(new MemoryDevice("disk", 4096), ""))
                    .isInstanceOf(ExportExistsException.class)
                    .hasMessageContaining("disk");
            assertThat(served.server().withdraw("disk")).isTrue();
            assertThat(served.server().withdraw("disk")).isFalse();
            served.server().serve(new MemoryDevice("disk", 4096), "");
            assertThat(served.server().exports()).containsExactly("disk");
            assertThatThrownBy(() -> served.server().serve(new MemoryDevice("", 4096), ""))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void urisAreEncoded(@TempDir Path directory) {
        Path socket = directory.resolve("a b&c.sock");
        NbdSettings settings = NbdSettings.builder()
                .listen(socket)
                .listen(new HostPort("0.0.0.0", 0))
                .build();
        try (NbdServer server = NbdServer.start(settings)) {
            assertThat(server.uri("größe/a?b@c"))
                    .isEqualTo("nbd+unix:///gr%C3%B6%C3%9Fe%2Fa%3Fb@c?socket=" + directory + "/a%20b%26c.sock");
            assertThat(server.uri(server.addresses().get(1), "v")).startsWith("nbd://127.0.0.1:");
        }
    }

    @Test
    void staleSocketIsReplacedAndOthersAreNot(@TempDir Path directory) throws Exception {
        Path stale = directory.resolve("stale.sock");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stale));
        }
        assertThat(stale).exists();
        Path file = Files.writeString(directory.resolve("file"), "precious");
        try (NbdServer server =
                NbdServer.start(NbdSettings.builder().listen(stale).build())) {
            server.serve(disk, "");
            assertThatThrownBy(() ->
                            NbdServer.start(NbdSettings.builder().listen(stale).build()))
                    .isInstanceOf(ListenFailedException.class)
                    .hasMessageContaining("stale.sock");
            try (NbdClient client = NbdClient.simple(server.address(), "disk")) {
                assertThat(client.read(0, 1)).hasSize(1);
            }
        }
        assertThatThrownBy(
                        () -> NbdServer.start(NbdSettings.builder().listen(file).build()))
                .isInstanceOf(ListenFailedException.class);
        assertThat(file).hasContent("precious");
    }

    @Test
    void takenPortIsAnErrorThatLeavesNothingOpen(@TempDir Path directory) {
        Path socket = directory.resolve("nbd.sock");
        try (ServedDevices served = ServedDevices.of(disk)) {
            HostPort taken = ((NbdAddress.Tcp) served.address()).hostPort();
            assertThatThrownBy(() -> NbdServer.start(
                            NbdSettings.builder().listen(socket).listen(taken).build()))
                    .isInstanceOf(ListenFailedException.class)
                    .hasMessageContaining(taken.toString());
            assertThat(socket).doesNotExist();
        }
    }

    @Test
    void withdrawnExportFinishesWhatWasAskedAndLetsNobodyIn() throws Exception {
        ExecutorService caller = Executors.newSingleThreadExecutor();
        try (ServedDevices served = ServedDevices.of(disk, new MemoryDevice("other", SIZE));
                NbdClient busy = served.simple("disk");
                NbdClient idle = served.simple("disk");
                NbdClient other = served.simple("other")) {
            disk.hold();
            busy.sendWrite(0, 1, 0, new byte[] {5});
            disk.awaitHeld(1);
            disk.letLaterPass();
            Future<Boolean> withdrawn = caller.submit(() -> served.server().withdraw("disk"));
            assertThat(idle.isEnded()).isTrue();
            // Another loop has this one, and may not know yet.
            int error = 0;
            while (error == 0) {
                error = busy.request(0, 0, 0, 4096).error();
            }
            assertThat(error).isEqualTo(ESHUTDOWN);
            assertThatThrownBy(() -> served.simple("disk")).isInstanceOf(IOException.class);
            assertThat(withdrawn).isNotDone();
            disk.letGo();
            assertThat(busy.reply(0)).matches(reply -> reply.cookie() == 1 && reply.error() == 0);
            assertThat(busy.isEnded()).isTrue();
            assertThat(withdrawn.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(other.read(0, 10)).hasSize(10);
        } finally {
            caller.shutdown();
        }
        assertThat(disk.at(0)).isEqualTo((byte) 5);
    }

    @Test
    void requestsThatDoNotEndHoldUpWithdrawingOnlyForItsLimit() throws Exception {
        disk.hold();
        try (ServedDevices served = ServedDevices.of(settings -> settings.withdrawLimit(Duration.ofMillis(50)), disk)) {
            try (NbdClient client = served.simple("disk")) {
                client.sendWrite(0, 1, 0, new byte[] {5});
                disk.awaitHeld(1);
                assertThat(served.server().withdraw("disk")).isTrue();
                assertThat(client.isEnded()).isTrue();
            }
            disk.letAllGo();
        }
    }

    @Test
    void withdrawUnderLoadLosesNoConfirmedWrite() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(4);
        try (ServedDevices served = ServedDevices.of(disk)) {
            List<Future<Integer>> confirmed = new ArrayList<>();
            for (int id = 0; id < 4; id++) {
                confirmed.add(clients.submit(writer(served, id)));
            }
            while (disk.asked().size() < 500) {
                Thread.onSpinWait();
            }
            assertThat(served.server().withdraw("disk")).isTrue();
            int asked = disk.asked().size();
            for (int id = 0; id < 4; id++) {
                int last = confirmed.get(id).get(10, TimeUnit.SECONDS);
                assertThat(disk.at(id * 4096)).isEqualTo((byte) last);
            }
            assertThat(disk.asked()).as("nothing after it returned").hasSize(asked);
        } finally {
            clients.shutdown();
        }
    }

    /** Writes 1, 2, 3 ... to its byte until it is refused or disconnected; returns the last one that was confirmed. */
    private static Callable<Integer> writer(ServedDevices served, int id) {
        return () -> {
            int value = 0;
            try (NbdClient client = served.simple("disk")) {
                while (client.write(id * 4096L, new byte[] {(byte) (value + 1)}) == 0) {
                    value++;
                }
            } catch (IOException e) {
                assertThat(value).as("written before it was disconnected").isPositive();
            }
            return value;
        };
    }

    @Test
    void closeDisconnectsEverybodyAndIsIdempotent() throws Exception {
        NbdServer server = NbdServer.start(
                NbdSettings.builder().listen(new HostPort("127.0.0.1", 0)).build());
        server.serve(disk, "");
        try (NbdClient negotiating = NbdClient.greeted(server.address());
                NbdClient client = NbdClient.simple(server.address(), "disk")) {
            server.close();
            server.close();
            assertThat(negotiating.isEnded()).isTrue();
            assertThat(client.isEnded()).isTrue();
            assertThatThrownBy(() -> NbdClient.raw(server.address())).isInstanceOf(ConnectException.class);
            assertThatThrownBy(() -> server.serve(disk, "")).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void settingsAreChecked() {
        NbdSettings.Builder builder = NbdSettings.builder();
        assertThatThrownBy(builder::build).hasMessageContaining("address");
        builder.listen(NbdAddress.parse("127.0.0.1:0"));
        assertThatThrownBy(() -> builder.requestBytesMax(4096).build()).hasMessageContaining("65536");
        assertThatThrownBy(() -> builder.requestBytesMax(100_000).build()).hasMessageContaining("multiple");
        assertThatThrownBy(() ->
                        builder.requestBytesMax(1 << 20).bytesInFlightMax(1).build())
                .hasMessageContaining("1048576");
        builder.bytesInFlightMax(1 << 20);
        assertThatThrownBy(() -> builder.connectionsMax(0).build()).hasMessageContaining("connectionsMax");
        assertThat(NbdAddress.parse("unix:/run/x.sock")).hasToString("unix:/run/x.sock");
        assertThatThrownBy(() -> NbdAddress.parse("unix:")).isInstanceOf(IllegalArgumentException.class);
    }

    private static byte[] data(int length) {
        byte[] data = new byte[length];
        Arrays.fill(data, (byte) 1);
        return data;
    }
}
