package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.get;
import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.Tls;
import io.longhorn.replica.wire.Connection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract over TCP with TLS, and who is let in. */
class TlsTransportTest extends ConnectionContract {
    @TempDir
    static Path directory;

    static TestCertificates authority;
    static Tls server;
    static Tls client;

    @BeforeAll
    static void makeCertificates() throws Exception {
        authority = new TestCertificates(directory, "our");
        server = authority.issue("server", "EC", "localhost", "127.0.0.1");
        client = authority.issue("client", "RSA");
    }

    @Override
    Connection.Connector connector(TransportLimits limits) {
        return transport(limits, client);
    }

    private static NioTransport transport(TransportLimits limits, Tls files) {
        try {
            return new NioTransport(limits, TlsEngines.load(files));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    String listen(NioLoop loop, TransportLimits limits, Connection.Acceptor acceptor) throws IOException {
        return listen(loop, limits, server, acceptor);
    }

    private String listen(NioLoop loop, TransportLimits limits, Tls files, Connection.Acceptor acceptor)
            throws IOException {
        Listener listener = transport(limits, files)
                .listen(loop, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), acceptor);
        closeLater(listener);
        return "127.0.0.1:" + listener.localAddress().getPort();
    }

    @Override
    String nobody() throws IOException {
        UnansweredPort port = new UnansweredPort();
        closeLater(port);
        return port.endpoint();
    }

    /** Connects and returns why that came to nothing. */
    private String connectInVain(Tls clientFiles, String endpoint) {
        TestPeer peer = new TestPeer();
        transport(LIMITS, clientFiles).connect(near, endpoint, peer.asResult());
        Throwable failure = peer.connected.handle((connection, e) -> e).join();
        if (failure == null) {
            // TLS 1.3: the server judges the client's certificate after the client has finished.
            return peer.awaitClosed();
        }
        return String.valueOf(failure.getMessage());
    }

    @Test
    void aServerOfAnotherAuthorityIsRefused() throws Exception {
        Tls foreign = new TestCertificates(directory, "foreign").issue("foreign-server", "EC", "127.0.0.1");
        TestPeer unseen = new TestPeer();
        String endpoint = listen(
                far,
                LIMITS,
                new Tls(foreign.certificate(), foreign.key(), authority.authorityFile()),
                unseen.asAcceptor());

        assertThat(connectInVain(client, endpoint))
                .contains("TLS with " + endpoint)
                .contains("certification path");
        assertThat(unseen.connected).isNotDone();
    }

    @Test
    void aServerWithAnotherNameIsRefused() throws Exception {
        Tls elsewhere = authority.issue("elsewhere", "EC", "elsewhere.example");
        String endpoint = listen(far, LIMITS, elsewhere, new TestPeer().asAcceptor());

        assertThat(connectInVain(client, endpoint)).contains("TLS with").contains("127.0.0.1");
    }

    @Test
    void anExpiredServerIsRefused() throws Exception {
        Tls expired = authority.issue("expired", "EC", Instant.now().minusSeconds(3600), "127.0.0.1");
        String endpoint = listen(far, LIMITS, expired, new TestPeer().asAcceptor());

        assertThat(connectInVain(client, endpoint)).contains("TLS with");
    }

    @Test
    void aClientOfAnotherAuthorityNeverReachesTheAcceptor() throws Exception {
        Tls foreign = new TestCertificates(directory, "foreign-2").issue("foreign-client", "EC");
        TestPeer unseen = new TestPeer();
        String endpoint = listen(far, LIMITS, unseen.asAcceptor());

        connectInVain(new Tls(foreign.certificate(), foreign.key(), authority.authorityFile()), endpoint);

        on(far, () -> assertThat(unseen.connected).isNotDone());
    }

    @Test
    void aClientWithoutTlsNeverReachesTheAcceptor() throws Exception {
        TestPeer unseen = new TestPeer();
        String endpoint = listen(far, LIMITS, unseen.asAcceptor());
        TestPeer plain = new TestPeer();
        new NioTransport(LIMITS).connect(near, endpoint, plain.asResult());
        get(plain.connected);

        on(near, () -> plain.connection().send(TestFrames.smallFrame(near.pool(), 0)));

        plain.awaitClosed();
        on(far, () -> assertThat(unseen.connected).isNotDone());
    }

    @Test
    void aServerThatDoesNotSpeakTlsIsReported() throws Exception {
        String endpoint;
        try (ServerSocket chatty = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            endpoint = "127.0.0.1:" + chatty.getLocalPort();
            TestPeer peer = new TestPeer();
            transport(LIMITS, client).connect(near, endpoint, peer.asResult());
            try (Socket socket = chatty.accept()) {
                socket.getOutputStream().write("220 welcome to something else\r\n".getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().flush();
                assertThat(peer.connected)
                        .failsWithin(Duration.ofSeconds(TestPeer.LIMIT_SECONDS))
                        .withThrowableOfType(Exception.class)
                        .havingRootCause()
                        .withMessageContaining("TLS with " + endpoint);
            }
        }
    }

    @Test
    void aServerThatSaysNothingIsGivenUpAtTheLimit() throws Exception {
        TransportLimits shortly = new TransportLimits(
                Duration.ofMillis(100), LIMITS.firstFrame(), LIMITS.firstFrameBytesMax(), 16, 1 << 20);
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TestPeer peer = new TestPeer();
            transport(shortly, client).connect(near, "127.0.0.1:" + silent.getLocalPort(), peer.asResult());

            assertThat(peer.connected)
                    .failsWithin(Duration.ofSeconds(TestPeer.LIMIT_SECONDS))
                    .withThrowableOfType(Exception.class)
                    .havingRootCause()
                    .withMessageContaining("no answer within 100 ms while negotiating TLS");
        }
    }

    @Test
    void filesThatAreNotWhatTheyShouldBeAreNamed() throws Exception {
        Path none = directory.resolve("none.pem");
        Path noise = Files.writeString(directory.resolve("noise.pem"), "no pem at all");
        Path pkcs1 = Files.writeString(
                directory.resolve("pkcs1.pem"), TestCertificates.pem("RSA PRIVATE KEY", new byte[] {1, 2, 3}));
        Path locked = Files.writeString(
                directory.resolve("locked.pem"), TestCertificates.pem("ENCRYPTED PRIVATE KEY", new byte[] {1, 2, 3}));
        Path broken = Files.writeString(
                directory.resolve("broken.pem"), TestCertificates.pem("CERTIFICATE", new byte[] {1, 2, 3}));

        assertThat(refusal(none, server.key(), server.authority())).contains("none.pem does not exist");
        assertThat(refusal(noise, server.key(), server.authority())).contains("noise.pem is no PEM file");
        assertThat(refusal(broken, server.key(), server.authority())).contains("broken.pem holds a certificate that");
        assertThat(refusal(server.certificate(), server.certificate(), server.authority()))
                .contains("server.pem holds no key");
        assertThat(refusal(server.certificate(), pkcs1, server.authority()))
                .contains("pkcs1.pem")
                .contains("BEGIN PRIVATE KEY")
                .contains("openssl pkcs8");
        assertThat(refusal(server.certificate(), locked, server.authority())).contains("locked.pem holds an encrypted");
        assertThat(refusal(server.certificate(), client.key(), server.authority()))
                .contains("client-key.pem holds no EC");
        Tls other = authority.issue("other", "EC");
        assertThat(refusal(server.certificate(), other.key(), server.authority()))
                .contains("other-key.pem holds another key");
        assertThat(refusal(server.certificate(), server.key(), server.key())).contains("server-key.pem holds no cert");
    }

    private static String refusal(Path certificate, Path key, Path authority) {
        try {
            TlsEngines.load(new Tls(certificate, key, authority));
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
        throw new AssertionError("was taken");
    }
}
