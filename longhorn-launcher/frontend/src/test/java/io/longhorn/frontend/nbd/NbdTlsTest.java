package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.frontend.MemoryDevice;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Random;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NbdTlsTest {

    private static final byte[] NOTHING = {};
    private static final int TLS_REQUIRED = 5;
    private static final int INVALID = 3;

    private final MemoryDevice disk = new MemoryDevice("disk", 4 << 20);

    @Test
    void nothingIsSaidInTheOpenWhereTlsIsRequired() throws Exception {
        try (ServedDevices served = served(NbdTlsMode.REQUIRED, NbdTls.of(file("server-cert"), file("server-key")));
                NbdClient client = served.greeted();
                NbdClient old = served.greeted()) {
            for (int option : new int[] {3, 6, 7, 8, 9, 10, 99}) {
                assertThat(client.option(option, NOTHING).get(0).error())
                        .as("option %d", option)
                        .isEqualTo(TLS_REQUIRED);
            }
            client.startTls(context("client", "ca"));
            assertThat(client.option(5, NOTHING).get(0).error()).as("TLS twice").isEqualTo(INVALID);
            exchange(client);
            old.sendOption(1, new byte[] {'d', 'i', 's', 'k'});
            assertThat(old.isEnded()).isTrue();
            assertThat(served.server().uri("disk")).startsWith("nbds://127.0.0.1:");
        }
    }

    @Test
    void bothKindsOfClientsAreServedWhereTlsIsAllowed() throws Exception {
        try (ServedDevices served = served(NbdTlsMode.ALLOWED, NbdTls.of(file("server-cert"), file("server-key")));
                NbdClient open = served.greeted();
                NbdClient encrypted = served.greeted()) {
            exchange(open);
            encrypted.startTls(context("client", "ca"));
            exchange(encrypted);
        }
    }

    @Test
    void whatWasAgreedOnInTheOpenIsForgotten() throws Exception {
        try (ServedDevices served = served(NbdTlsMode.ALLOWED, NbdTls.of(file("server-cert"), file("server-key")));
                NbdClient client = served.greeted()) {
            client.option(8, NOTHING);
            client.option(10, NbdClient.metaQuery("disk", "base:allocation"));
            client.startTls(context("client", "ca"));
            client.go("disk");
            assertThat(client.request(0, 0, 0, 512).structured()).isFalse();
            assertThat(client.request(0, 7, 0, 512).error()).isEqualTo(22);
        }
    }

    @Test
    void bytesSlippedInBeforeTlsEndTheConnection() throws Exception {
        try (ServedDevices served = served(NbdTlsMode.ALLOWED, NbdTls.of(file("server-cert"), file("server-key")));
                NbdClient client = served.greeted()) {
            byte[] two = new byte[32];
            byte[] option = {'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 0, 0, 5, 0, 0, 0, 0};
            System.arraycopy(option, 0, two, 0, 16);
            System.arraycopy(option, 0, two, 16, 16);
            client.send(two);
            assertThat(client.isEnded()).isTrue();
        }
    }

    @Test
    void onlyClientsWithACertificateOfTheAuthorityAreServed() throws Exception {
        NbdTls tls = NbdTls.ofKnownClients(file("server-cert"), file("server-key"), file("ca-cert"));
        try (ServedDevices served = served(NbdTlsMode.REQUIRED, tls);
                NbdClient known = served.greeted();
                NbdClient stranger = served.greeted();
                NbdClient nobody = served.greeted()) {
            known.startTls(context("client", "ca"));
            exchange(known);
            assertThatThrownBy(() -> {
                        stranger.startTls(context("stranger", "ca"));
                        stranger.go("disk");
                    })
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> {
                        nobody.startTls(context(null, "ca"));
                        nobody.go("disk");
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void garbageInsteadOfTlsEndsTheConnection() throws Exception {
        try (ServedDevices served = served(NbdTlsMode.REQUIRED, NbdTls.of(file("server-cert"), file("server-key")));
                NbdClient client = served.greeted();
                NbdClient other = served.greeted()) {
            client.option(5, NOTHING);
            client.send(new byte[4096]);
            assertThat(client.isEnded()).isTrue();
            other.startTls(context("client", "ca"));
            exchange(other);
        }
    }

    @Test
    void unfitFilesAreNamed(@TempDir Path directory) throws Exception {
        Path empty = Files.createFile(directory.resolve("empty.pem"));
        assertThatThrownBy(() -> served(NbdTlsMode.REQUIRED, NbdTls.of(empty, file("server-key"))))
                .isInstanceOf(TlsFilesException.class)
                .hasMessageContaining("empty.pem");
        assertThatThrownBy(() -> served(NbdTlsMode.REQUIRED, NbdTls.of(directory.resolve("none"), empty)))
                .isInstanceOf(TlsFilesException.class);
    }

    /** Larger than a record of TLS, so that payloads come in pieces. */
    private static void exchange(NbdClient client) throws IOException {
        client.option(8, NOTHING);
        client.go("disk");
        byte[] data = new byte[1 << 20];
        new Random(7).nextBytes(data);
        assertThat(client.write(5, data)).isZero();
        assertThat(client.read(5, data.length)).isEqualTo(data);
    }

    private ServedDevices served(NbdTlsMode mode, NbdTls tls) {
        return ServedDevices.of(settings -> settings.tls(mode, tls), disk);
    }

    static Path file(String name) throws URISyntaxException {
        return Path.of(NbdTlsTest.class.getResource("tls/" + name + ".pem").toURI());
    }

    /** A client's side; without certificate if {@code name} is null. */
    private static SSLContext context(String name, String authority)
            throws GeneralSecurityException, IOException, URISyntaxException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("authority", certificate(authority));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        if (name != null) {
            own.setKeyEntry("own", key(name), new char[0], new Certificate[] {certificate(name)});
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static Certificate certificate(String name)
            throws GeneralSecurityException, IOException, URISyntaxException {
        try (InputStream in = Files.newInputStream(file(name + "-cert"))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static PrivateKey key(String name) throws GeneralSecurityException, IOException, URISyntaxException {
        String text = Files.readString(file(name + "-key")).replaceAll("-----[A-Z ]+-----|\\s", "");
        return KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
    }
}
