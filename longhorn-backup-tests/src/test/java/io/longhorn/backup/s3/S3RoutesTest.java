package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTarget;
import io.longhorn.Tls;
import io.longhorn.backup.BackupStore;
import io.longhorn.backup.ObjectStore;
import io.longhorn.replica.transport.TestCertificates;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ways to a server: TLS, proxies, the bucket in the name of the host. */
class S3RoutesTest {
    private static final URI TARGET = URI.create("s3://" + S3Server.BUCKET + "/path/");

    @TempDir
    private Path directory;

    @Test
    void anAuthorityOfOnesOwnIsTrusted() throws Exception {
        TestCertificates mine = new TestCertificates(directory, "mine");
        TestCertificates other = new TestCertificates(directory, "other");
        Tls tls = mine.issue("server", "EC", "127.0.0.1");
        try (S3Server server = S3Server.startWithTls(Files.createDirectory(directory.resolve("s3")), context(tls))) {
            Map<String, String> credentials = server.credentials();
            assertThat(server.endpoint()).startsWith("https:");
            credentials.put(
                    "AWS_CERT", Files.readString(other.authorityFile()) + Files.readString(mine.authorityFile()));
            assertWorks(credentials);
            credentials.put("AWS_CERT", Files.readString(other.authorityFile()));
            assertNotTrusted(credentials);
            credentials.remove("AWS_CERT");
            assertNotTrusted(credentials);
        }
    }

    @Test
    void aCertificateForAnotherHostIsNotTrusted() throws Exception {
        TestCertificates mine = new TestCertificates(directory, "mine");
        Tls tls = mine.issue("server", "EC", "127.0.0.2");
        try (S3Server server = S3Server.startWithTls(Files.createDirectory(directory.resolve("s3")), context(tls))) {
            Map<String, String> credentials = server.credentials();
            credentials.put("AWS_CERT", Files.readString(mine.authorityFile()));
            assertNotTrusted(credentials);
        }
    }

    private static void assertWorks(Map<String, String> credentials) throws IOException {
        try (ObjectStore store = new S3StoreProvider().open(BackupTarget.at(TARGET, credentials))) {
            ByteBuffer content = ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8));
            store.write("a/b", content);
            assertThat(store.read("a/b", 5)).contains(content);
            store.write("a/c", content);
            assertThat(store.names("a")).containsExactly("b", "c");
            store.delete(List.of("a/b", "a/c"));
            assertThat(store.names("a")).isEmpty();
        }
    }

    private static void assertNotTrusted(Map<String, String> credentials) {
        try (S3Store store = store(credentials)) {
            assertThatThrownBy(() -> store.names("a"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no TLS with " + credentials.get("AWS_ENDPOINTS"))
                    .hasMessageContaining("AWS_CERT");
        }
    }

    /** One attempt. */
    private static S3Store store(Map<String, String> credentials) {
        S3Location location = S3Location.of(TARGET);
        S3Limits usual = S3Limits.DEFAULT;
        return new S3Store(
                location,
                S3Access.of(location, credentials),
                new S3Limits(
                        1,
                        usual.backOff(),
                        usual.backOffMax(),
                        usual.connecting(),
                        usual.silence(),
                        usual.call(),
                        usual.pageObjects()));
    }

    private static SSLContext context(Tls tls) throws Exception {
        CertificateFactory certificates = CertificateFactory.getInstance("X.509");
        Certificate certificate =
                certificates.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(tls.certificate())));
        String key = Files.readString(tls.key()).replaceAll("-----[A-Z ]+-----", "");
        PrivateKey privateKey = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(key)));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("server", privateKey, new char[0], new Certificate[] {certificate});
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    /** The server stands in for a proxy, too: so no name needs to be resolved. */
    @Test
    void aProxyIsUsedAndTheBucketMayStandInTheHost() throws Exception {
        try (S3Server server = S3Server.startVirtualHosted(directory, "s3.test")) {
            Map<String, String> credentials = server.credentials();
            credentials.put("AWS_ENDPOINTS", "http://s3.test");
            credentials.put("HTTP_PROXY", server.endpoint());
            credentials.put("VIRTUAL_HOSTED_STYLE", "true");
            assertWorks(credentials);
            credentials.put("VIRTUAL_HOSTED_STYLE", "false");
            assertWorks(credentials);
            credentials.put("NO_PROXY", ".test");
            try (S3Store direct = store(credentials)) {
                assertThatThrownBy(() -> direct.names("a"))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("http://s3.test");
            }
        }
    }

    @Test
    void theStoreOfATargetInS3IsFound() throws Exception {
        try (S3Server server = S3Server.start(directory);
                BackupStore store = BackupStore.open(server.target("path/"))) {
            assertThat(store.volumes()).isEmpty();
            assertThat(store.describe()).isEqualTo(TARGET + " at " + server.endpoint());
        }
    }
}
