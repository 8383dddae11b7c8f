package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.LonghornException;
import io.longhorn.TimeLimitException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import io.longhorn.replica.transport.UnansweredPort;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Endpoints where something else than a fitting replica server is: the error names it, says what it is, and comes within the time limits. */
@Timeout(60)
class WrongServersTest {
    private static final Duration SHORT = Duration.ofSeconds(1);

    @TempDir
    Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private Longhorn connect(String registry, String... servers) {
        LonghornConfig.Builder config = LonghornConfig.builder()
                .registry(directory.resolve(registry))
                .connectTimeLimit(SHORT)
                .silenceRemoval(Duration.ofMillis(300))
                .lease(Duration.ofMillis(900))
                .openingTimeLimit(Duration.ofSeconds(3))
                .operationTimeLimit(Duration.ofSeconds(3));
        for (String server : servers) {
            config.replicaServer(server);
        }
        Longhorn longhorn = Longhorn.connect(config.build());
        opened.add(0, longhorn);
        return longhorn;
    }

    private ReplicaServer server(String disk) throws IOException {
        ReplicaServer server = ReplicaServer.builder()
                .directory(directory.resolve(disk))
                .listen(new HostPort("127.0.0.1", 0))
                .start();
        opened.add(server);
        return server;
    }

    private static VolumeSpec spec() {
        return VolumeSpec.named("orders").sizeBytes(1 << 20).replicas(1).build();
    }

    private static void refused(Longhorn longhorn, String... says) {
        assertThatThrownBy(() -> longhorn.create(spec()))
                .isInstanceOf(TooFewReplicasException.class)
                .satisfies(e -> assertThat(e.getSuppressed())
                        .singleElement()
                        .satisfies(cause -> assertThat(cause).hasMessageContainingAll(says)));
        assertThat(longhorn.volumes()).isEmpty();
    }

    /** Accepts connections and does with each what it is told, in a thread of its own. */
    private ServerSocket listen(Talk talk) throws IOException {
        ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        opened.add(listening);
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    Socket socket = listening.accept();
                    opened.add(socket);
                    talk.with(socket);
                }
            } catch (IOException e) {
                assertThat(listening.isClosed() || e.getMessage() != null).isTrue();
            }
        });
        thread.setDaemon(true);
        thread.start();
        return listening;
    }

    private interface Talk {
        void with(Socket socket) throws IOException;
    }

    private static String endpoint(ServerSocket listening) {
        return "127.0.0.1:" + listening.getLocalPort();
    }

    @Test
    void webServerIsNoReplicaServer() throws IOException {
        ServerSocket web = listen(socket -> {
            socket.getInputStream().read();
            socket.getOutputStream()
                    .write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
        });
        refused(connect("registry", endpoint(web)), endpoint(web));
    }

    @Test
    void silentSocketIsGivenUp() throws IOException {
        ServerSocket silent = listen(socket -> {});
        refused(connect("registry", endpoint(silent)), endpoint(silent));
    }

    @Test
    void nobodyAndNowhereAreNamed() throws IOException {
        try (UnansweredPort port = new UnansweredPort()) {
            refused(connect("registry", port.endpoint()), port.endpoint());
        }
        refused(connect("registry", "no-such-host.invalid:9500"), "no-such-host.invalid:9500");
    }

    @Test
    void serverOfAnotherClusterKeepsItsReplicasToItself() throws IOException {
        String address = server("disk").address().toString();
        Longhorn ours = connect("registry", address);
        Volume volume = ours.create(spec());
        volume.write(0, ByteBuffer.wrap("ours".getBytes(StandardCharsets.US_ASCII)));
        volume.flush();

        Longhorn strangers = connect("another-registry", address);
        refused(strangers, address, "cluster");

        ByteBuffer read = ByteBuffer.allocate(4);
        volume.read(0, read);
        assertThat(new String(read.array(), StandardCharsets.US_ASCII)).isEqualTo("ours");
    }

    @Test
    void serversThatFallSilentAreWaitedForOnlySoLong() throws IOException {
        ReplicaServer real = server("disk");
        Gate gate = new Gate();
        ServerSocket between = listen(socket -> gate.pass(socket, real.address()));
        Longhorn longhorn = connect("registry", endpoint(between));
        Volume volume = longhorn.create(spec());
        volume.write(0, ByteBuffer.allocate(4096));

        gate.shut = true;

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> volume.write(0, ByteBuffer.allocate(4096)))
                    .isInstanceOf(LonghornException.class)
                    .hasMessageContaining("orders");
        }
        assertThatThrownBy(volume::flush).isInstanceOf(LonghornException.class);
        assertThatThrownBy(() -> volume.snapshot("first")).isInstanceOf(LonghornException.class);
        assertThatThrownBy(() -> volume.read(8192, ByteBuffer.allocate(4096)))
                .isInstanceOf(TimeLimitException.class)
                .hasMessageContaining("orders");
        assertThatThrownBy(() -> connect("registry", endpoint(between)).open("orders"))
                .isInstanceOf(LonghornException.class)
                .hasMessageContaining("orders");
    }

    /** A relay that can swallow everything. */
    private final class Gate {
        volatile boolean shut;

        void pass(Socket client, HostPort server) throws IOException {
            Socket onward = new Socket(server.host(), server.port());
            opened.add(onward);
            copy(client, onward);
            copy(onward, client);
        }

        private void copy(Socket from, Socket to) {
            Thread thread = new Thread(() -> {
                byte[] bytes = new byte[1 << 16];
                try (InputStream in = from.getInputStream();
                        OutputStream out = to.getOutputStream()) {
                    for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                        if (!shut) {
                            out.write(bytes, 0, count);
                        }
                    }
                } catch (IOException e) {
                    assertThat(e).isNotNull();
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
    }

    @Test
    void registryThatCannotBeThereIsNamed() throws IOException {
        assertThatThrownBy(() -> connect("missing/registry", "127.0.0.1:9500"))
                .isInstanceOf(LonghornException.class)
                .hasMessageContaining(directory.resolve("missing/registry").toString());
        assertThat(directory.resolve("missing")).doesNotExist();
        Files.writeString(directory.resolve("file"), "mine");
        assertThatThrownBy(() -> connect("file", "127.0.0.1:9500"))
                .isInstanceOf(LonghornException.class)
                .hasMessageContaining(directory.resolve("file").toString());
        assertThat(directory.resolve("file")).hasContent("mine");
    }
}
