package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.get;
import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The contract over plain TCP, and what is special there. */
class NioTransportTest extends ConnectionContract {

    @Override
    Connection.Connector connector(TransportLimits limits) {
        return new NioTransport(limits);
    }

    @Override
    String listen(NioLoop loop, TransportLimits limits, Connection.Acceptor acceptor) throws IOException {
        return "127.0.0.1:" + port(loop, limits, InetAddress.getLoopbackAddress(), acceptor);
    }

    private int port(NioLoop loop, TransportLimits limits, InetAddress address, Connection.Acceptor acceptor)
            throws IOException {
        Listener listener = new NioTransport(limits).listen(loop, new InetSocketAddress(address, 0), acceptor);
        closeLater(listener);
        return listener.localAddress().getPort();
    }

    @Override
    String nobody() throws IOException {
        UnansweredPort port = new UnansweredPort();
        closeLater(port);
        return port.endpoint();
    }

    private static InetAddress address(byte[] bytes) throws UnknownHostException {
        return InetAddress.getByAddress(bytes);
    }

    private String failure(NioTransport transport, String endpoint) {
        TestPeer peer = new TestPeer();
        transport.connect(near, endpoint, peer.asResult());
        Throwable failure =
                get(peer.connected.handle((connection, e) -> e == null ? new AssertionError("connected") : e));
        return String.valueOf(failure.getMessage());
    }

    private static byte[] frameBytes(int blocks) {
        FrameBuffer frame = TestFrames.frame(new FramePool(), 0, 0, blocks);
        byte[] bytes = new byte[frame.length()];
        frame.bytes().get(0, bytes);
        return bytes;
    }

    @Test
    void aPeerThatBreaksOffInTheMiddleOfAFrameIsReportedSo() throws Exception {
        for (int cut : new int[] {3, FrameLayout.HEADER_BYTES, 9000, 200_000}) {
            TestPeer server = new TestPeer(1);
            int port = port(far, LIMITS, InetAddress.getLoopbackAddress(), server.asAcceptor());
            byte[] bytes = frameBytes(64);
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write(bytes);
                socket.getOutputStream().write(bytes, 0, cut);
            }

            assertThat(server.awaitClosed()).contains("in the middle of a frame");
            on(far, () -> assertThat(server.numbers).hasSize(1));
        }
    }

    @Test
    void aPeerThatClosesOnlyItsSendingHalfIsLetGo() throws Exception {
        TestPeer server = new TestPeer(1);
        int port = port(far, LIMITS, InetAddress.getLoopbackAddress(), server.asAcceptor());
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(frameBytes(1));
            socket.shutdownOutput();

            assertThat(server.awaitClosed()).endsWith("closed the connection");
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
            on(far, () -> assertThat(server.numbers).hasSize(1));
        }
    }

    @Test
    void aFrameThatComesByteForByteIsWhole() throws Exception {
        TestPeer server = new TestPeer(3);
        int port = port(far, LIMITS, InetAddress.getLoopbackAddress(), server.asAcceptor());
        byte[] bytes = frameBytes(1);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setTcpNoDelay(true);
            for (int i = 0; i < 3; i++) {
                for (int at = 0; at < bytes.length; at += at < 100 ? 1 : 499) {
                    socket.getOutputStream().write(bytes, at, Math.min(at < 100 ? 1 : 499, bytes.length - at));
                }
            }
            server.awaitFrames();
        }
        assertThat(server.damaged).isNotDone();
    }

    @Test
    void aPeerThatSaysNothingIsDroppedAndOneThatSpokeIsNot() throws Exception {
        TransportLimits hasty =
                new TransportLimits(LIMITS.connect(), Duration.ofMillis(200), LIMITS.firstFrameBytesMax(), 16, 1 << 20);
        TestPeer silent = new TestPeer();
        TestPeer speaking = new TestPeer(1);
        try (Socket first = new Socket(
                        InetAddress.getLoopbackAddress(),
                        port(far, hasty, InetAddress.getLoopbackAddress(), speaking.asAcceptor()));
                Socket second = new Socket(
                        InetAddress.getLoopbackAddress(),
                        port(far, hasty, InetAddress.getLoopbackAddress(), silent.asAcceptor()))) {
            first.getOutputStream().write(frameBytes(0));
            speaking.awaitFrames();
            second.getOutputStream().write(frameBytes(0), 0, 20);

            assertThat(silent.awaitClosed()).contains("sent no frame within 200 ms");
            assertThat(second.getInputStream().read()).isEqualTo(-1);
            on(far, () -> assertThat(speaking.connection().isOpen()).isTrue());
        }
    }

    @Test
    void noMemoryIsTakenForALongFirstFrame() throws Exception {
        TestPeer peer = new TestPeer();
        int port = port(far, TransportLimits.DEFAULTS, InetAddress.getLoopbackAddress(), peer.asAcceptor());
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(frameBytes(1), 0, FrameLayout.HEADER_BYTES);

            assertThat(peer.awaitClosed()).contains("a first frame of").contains("expected at most 4096");
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void onlySoManyStrangersAreLetIn() throws Exception {
        TransportLimits narrow =
                new TransportLimits(LIMITS.connect(), LIMITS.firstFrame(), LIMITS.firstFrameBytesMax(), 2, 1 << 20);
        List<TestPeer> peers = new ArrayList<>();
        CountDownLatch accepted = new CountDownLatch(2);
        int port = port(far, narrow, InetAddress.getLoopbackAddress(), connection -> {
            TestPeer peer = new TestPeer(1);
            peer.connected.complete(connection);
            peers.add(peer);
            accepted.countDown();
            return peer;
        });
        try (Socket first = new Socket(InetAddress.getLoopbackAddress(), port);
                Socket second = new Socket(InetAddress.getLoopbackAddress(), port)) {
            await(accepted);
            try (Socket third = new Socket(InetAddress.getLoopbackAddress(), port)) {
                assertThat(third.getInputStream().read()).isEqualTo(-1);
            }
            // One is no stranger any more, so there is room for another.
            first.getOutputStream().write(frameBytes(0));
            CompletableFuture<TestPeer> known = new CompletableFuture<>();
            far.execute(() -> known.complete(peers.get(0)));
            get(known).awaitFrames();
            try (Socket fourth = new Socket(InetAddress.getLoopbackAddress(), port)) {
                awaitOn(far, () -> peers.size() == 3);
                assertThat(fourth.isConnected()).isTrue();
            }
            assertThat(second.isConnected()).isTrue();
        }
    }

    @Test
    void anIpv6LiteralIsAnEndpoint() throws Exception {
        Assumptions.assumeTrue(
                NetworkInterface.networkInterfaces()
                        .flatMap(NetworkInterface::inetAddresses)
                        .anyMatch(a -> a instanceof Inet6Address && a.isLoopbackAddress()),
                "this machine has no IPv6 loopback address");
        TestPeer server = new TestPeer(1);
        TestPeer client = new TestPeer();
        int port = port(
                far, LIMITS, address(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), server.asAcceptor());

        new NioTransport(LIMITS).connect(near, "[::1]:" + port, client.asResult());

        on(near, () -> {});
        get(client.connected);
        on(near, () -> client.connection().send(TestFrames.smallFrame(near.pool(), 0)));
        server.awaitFrames();
        assertThat(server.connection().peerName()).startsWith("[0:0:0:0:0:0:0:1]:");
    }

    @Test
    void theAddressesOfANameAreTriedInTurn() throws Exception {
        TestPeer server = new TestPeer();
        TestPeer client = new TestPeer();
        int port = port(far, LIMITS, address(new byte[] {127, 0, 0, 1}), server.asAcceptor());
        NioTransport transport = new NioTransport(LIMITS, Optional.empty(), host ->
                new InetAddress[] {address(new byte[] {127, 0, 0, 2}), address(new byte[] {127, 0, 0, 1})});

        transport.connect(near, "storage.example:" + port, client.asResult());

        assertThat(client.connection().peerName()).isEqualTo("storage.example:" + port);
        get(server.connected);
    }

    @Test
    void anUnknownNameFailsInWords() {
        NioTransport transport = new NioTransport(LIMITS, Optional.empty(), host -> {
            throw new UnknownHostException(host);
        });

        assertThat(failure(transport, "storage.example:1"))
                .isEqualTo("cannot connect to storage.example:1: no address is known for the host storage.example");
    }

    @Test
    void aNameServiceThatHangsIsGivenUpAtTheLimitAndNotAskedWithoutEnd() throws Exception {
        CountDownLatch hang = new CountDownLatch(1);
        TransportLimits hasty = new TransportLimits(
                Duration.ofMillis(100), LIMITS.firstFrame(), LIMITS.firstFrameBytesMax(), 16, 1 << 20);
        NioTransport transport = new NioTransport(hasty, Optional.empty(), host -> {
            await(hang);
            throw new UnknownHostException(host);
        });
        try {
            assertThat(failure(transport, "storage.example:1"))
                    .contains("no answer within 100 ms while looking up storage.example");
            CompletableFuture<String> last = new CompletableFuture<>();
            for (int i = 0; i < 40; i++) {
                TestPeer peer = new TestPeer();
                transport.connect(near, "storage.example:1", peer.asResult());
                last = peer.connected.handle((connection, e) -> e.getMessage());
            }
            assertThat(get(last)).contains("32 name look-ups hang already");
        } finally {
            hang.countDown();
        }
    }

    @Test
    void whatIsNoEndpointFailsInWords() {
        assertThat(failure(new NioTransport(LIMITS), "fd00::1:9500"))
                .contains("cannot connect to fd00::1:9500")
                .contains("an IPv6 address goes in brackets");
    }

    @Test
    void anAddressThatIsTakenIsReported() throws Exception {
        int port = port(far, LIMITS, InetAddress.getLoopbackAddress(), new TestPeer().asAcceptor());

        assertThatThrownBy(() -> new NioTransport(LIMITS)
                        .listen(
                                far,
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                                new TestPeer().asAcceptor()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on")
                .hasMessageContaining(String.valueOf(port));
    }

    @Test
    void aClosedListenerAcceptsNobodyAndKeepsItsConnections() throws Exception {
        TestPeer server = new TestPeer(1);
        TestPeer client = new TestPeer();
        Listener listener = new NioTransport(LIMITS)
                .listen(far, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), server.asAcceptor());
        String endpoint = "127.0.0.1:" + listener.localAddress().getPort();
        new NioTransport(LIMITS).connect(near, endpoint, client.asResult());
        get(client.connected);
        get(server.connected);

        listener.close();
        listener.close();
        on(far, () -> {});

        assertThat(failure(new NioTransport(LIMITS), endpoint)).contains("cannot connect to " + endpoint);
        on(near, () -> client.connection().send(TestFrames.smallFrame(near.pool(), 0)));
        server.awaitFrames();
    }
}
