package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.longhorn.HostPort;
import io.longhorn.InsecureListenException;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Tls;
import io.longhorn.TooFewReplicasException;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import io.longhorn.replica.transport.TestCertificates;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may talk to a replica server, from a program's call to the server's disk. */
class SecureConnectionTest {
    private static final HostPort ANY_PORT = new HostPort("127.0.0.1", 0);

    @TempDir
    Path directory;

    private Tls ours;
    private Tls strangers;

    @BeforeEach
    void makeCertificates() throws Exception {
        ours = new TestCertificates(directory, "ours").issue("host", "EC", "127.0.0.1");
        strangers = new TestCertificates(directory, "strangers").issue("stranger", "EC", "127.0.0.1");
    }

    private ReplicaServer server(@Nullable Tls tls, String token) throws IOException {
        ReplicaServer.Builder builder = ReplicaServer.builder()
                .directory(directory.resolve("disk"))
                .listen(ANY_PORT)
                .token(token);
        return tls == null ? builder.start() : builder.tls(tls).start();
    }

    private Longhorn connect(ReplicaServer server, @Nullable Tls tls, String token) {
        LonghornConfig.Builder config = LonghornConfig.builder()
                .registry(directory.resolve("registry"))
                .replicaServer(server.address().toString());
        if (tls != null) {
            config.tls(tls.certificate(), tls.key(), tls.authority());
        }
        return Longhorn.connect(
                token.isEmpty() ? config.build() : config.token(token).build());
    }

    private static VolumeSpec spec() {
        return VolumeSpec.named("secret").sizeBytes(1 << 20).replicas(1).build();
    }

    private static void assertWorks(Longhorn longhorn) {
        Volume volume = longhorn.create(spec());
        byte[] content = new byte[300_000];
        content[7] = 77;
        volume.write(5, ByteBuffer.wrap(content));
        volume.flush();
        ByteBuffer read = ByteBuffer.allocate(content.length);
        volume.read(5, read);
        assertThat(read.array()).isEqualTo(content);
    }

    /** What the server, or the connection to it, had against us. */
    private static String refusal(ReplicaServer server, Longhorn longhorn) {
        TooFewReplicasException refused =
                catchThrowableOfType(TooFewReplicasException.class, () -> longhorn.create(spec()));
        assertThat(refused.getSuppressed()).hasSize(1);
        assertThat(refused.getSuppressed()[0])
                .hasMessageContaining(server.address().toString());
        return refused.getSuppressed()[0].getMessage();
    }

    @Test
    void certificatesOnBothSidesWork() throws IOException {
        try (ReplicaServer server = server(ours, "");
                Longhorn longhorn = connect(server, ours, "")) {
            assertWorks(longhorn);
        }
    }

    @Test
    void withTlsAndTokenBothAreNeeded() throws IOException {
        try (ReplicaServer server = server(ours, "word");
                Longhorn wrong = connect(server, ours, "guess");
                Longhorn right = connect(server, ours, "word")) {
            assertThat(refusal(server, wrong)).contains("token");
            assertWorks(right);
        }
    }

    @Test
    void aCertificateOfAnotherAuthorityIsRefused() throws IOException {
        try (ReplicaServer server = server(ours, "");
                Longhorn longhorn = connect(server, strangers, "")) {
            assertThat(refusal(server, longhorn)).containsIgnoringCase("certif");
        }
    }

    @Test
    void aServerOfAnotherAuthorityIsRefused() throws IOException {
        Tls halfOurs = new Tls(strangers.certificate(), strangers.key(), ours.authority());
        try (ReplicaServer server = server(halfOurs, "");
                Longhorn longhorn = connect(server, ours, "")) {
            assertThat(refusal(server, longhorn)).containsIgnoringCase("certif");
        }
    }

    @Test
    void noCertificateIsRefused() throws IOException {
        try (ReplicaServer server = server(ours, "");
                Longhorn longhorn = connect(server, null, "")) {
            refusal(server, longhorn);
        }
    }

    @Test
    void aServerWithoutTlsIsNotTalkedToWithTls() throws IOException {
        try (ReplicaServer server = server(null, "");
                Longhorn longhorn = connect(server, ours, "")) {
            assertThat(refusal(server, longhorn)).containsIgnoringCase("tls");
        }
    }

    @Test
    void aWrongTokenIsRefused() throws IOException {
        try (ReplicaServer server = server(null, "word");
                Longhorn longhorn = connect(server, null, "guess");
                Longhorn silent = connect(server, null, "")) {
            assertThat(refusal(server, longhorn)).contains("token");
            assertThat(refusal(server, silent)).contains("token");
        }
    }

    @Test
    void filesThatCannotBeUsedAreNamed() throws IOException {
        Path rubbish = Files.writeString(directory.resolve("rubbish.pem"), "rubbish");
        LonghornConfig config = LonghornConfig.builder()
                .registry(directory.resolve("registry"))
                .replicaServer("127.0.0.1:1")
                .tls(rubbish, ours.key(), ours.authority())
                .build();

        assertThatThrownBy(() -> Longhorn.connect(config))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(rubbish.toString());
    }

    @Test
    void beyondLoopbackAServerNeedsOneOfBoth() {
        ReplicaServer.Builder open =
                ReplicaServer.builder().directory(directory.resolve("disk")).listen(new HostPort("0.0.0.0", 0));

        assertThatThrownBy(open::start)
                .isInstanceOf(InsecureListenException.class)
                .hasMessageContaining("0.0.0.0");
    }

    @Test
    void withTlsAServerMayListenAnywhere() throws IOException {
        try (ReplicaServer server = ReplicaServer.builder()
                .directory(directory.resolve("disk"))
                .listen(new HostPort("0.0.0.0", 0))
                .tls(ours)
                .start()) {
            assertThat(server.address().port()).isPositive();
        }
    }
}
