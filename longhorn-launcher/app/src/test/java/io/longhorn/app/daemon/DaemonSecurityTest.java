package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DiskLockedException;
import io.longhorn.HostPort;
import io.longhorn.InsecureListenException;
import io.longhorn.app.CommandFailure;
import io.longhorn.app.CommandLineRun;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may talk to a daemon, and where it listens. */
class DaemonSecurityTest {

    @TempDir
    private Path directory;

    private DaemonSettings settings(String listen, Optional<Path> tokens, Optional<ApiTls> tls) {
        DaemonSettings plain = DaemonFixture.settings(directory.resolve("daemon"), tokens);
        return new DaemonSettings(
                plain.directory(),
                HostPort.parse(listen),
                tokens,
                tls,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                FrontendSettings.local());
    }

    private Path tokens(String... lines) throws IOException {
        return Files.write(directory.resolve("tokens"), List.of(lines));
    }

    private static int statusWith(DaemonFixture api, String authorization) throws Exception {
        return api.send(api.request("/v1/volumes")
                        .header("Authorization", authorization)
                        .build())
                .statusCode();
    }

    @Test
    void onlyWhoHasATokenComesIn() throws Exception {
        Path tokens = tokens("secret-of-one", "", "  secret-of-two  ");
        try (DaemonFixture api = DaemonFixture.start(settings("127.0.0.1:0", Optional.of(tokens), Optional.empty()))) {
            HttpResponse<String> stranger = api.get("/v1/volumes");
            assertThat(stranger.statusCode()).isEqualTo(401);
            assertThat(stranger.headers().firstValue("WWW-Authenticate")).contains("Bearer");
            assertThat(stranger.body()).contains("UNAUTHORIZED").doesNotContain("secret");
            assertThat(api.get("/no-such-path").statusCode()).isEqualTo(401);
            assertThat(api.get("/metrics").statusCode()).isEqualTo(401);
            assertThat(api.get("/healthz").statusCode()).isEqualTo(200);
            assertThat(api.get("/readyz").statusCode()).isEqualTo(200);
            assertThat(statusWith(api, "Bearer secret-of-one")).isEqualTo(200);
            assertThat(statusWith(api, "bearer secret-of-two")).isEqualTo(200);
            for (String wrong : List.of(
                    "Bearer secret-of-on", "Bearer secret-of-onee", "Bearer ", "Basic c2VjcmV0", "secret-of-one")) {
                assertThat(statusWith(api, wrong)).as(wrong).isEqualTo(401);
            }

            CommandLineRun without = CommandLineRun.of("--api", api.url(), "volume", "list");
            assertThat(without.exitCode()).isEqualTo(1);
            assertThat(without.err()).contains("bearer token");
            CommandLineRun with = CommandLineRun.of(
                    "volume", "list", "--api", api.url(), "--api-token-file", tokens.toString(), "--json");
            assertThat(with.exitCode()).as(with.err()).isZero();
            assertThat(with.out()).isEqualTo("[]\n");
        }
    }

    @Test
    void aTokenFileWithoutATokenIsRefused() throws IOException {
        for (Path file : List.of(tokens("", " "), tokens("two words"))) {
            assertThatThrownBy(() -> DaemonFixture.start(settings("127.0.0.1:0", Optional.of(file), Optional.empty())))
                    .isInstanceOf(CommandFailure.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void listeningBeyondLoopbackNeedsASecret() throws Exception {
        assertThatThrownBy(() -> DaemonFixture.start(settings("0.0.0.0:0", Optional.empty(), Optional.empty())))
                .isInstanceOf(InsecureListenException.class)
                .hasMessageContaining("0.0.0.0");
        ApiTls tls = new ApiTls(directory.resolve("cert"), directory.resolve("key"), Optional.empty());
        assertThatThrownBy(() -> DaemonFixture.start(settings("0.0.0.0:0", Optional.empty(), Optional.of(tls))))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("lets everybody in");
        try (DaemonFixture api =
                DaemonFixture.start(settings("0.0.0.0:0", Optional.of(tokens("secret")), Optional.empty()))) {
            assertThat(api.daemon().address().host()).isEqualTo("0.0.0.0");
        }
    }

    /** A certificate that signed itself, made by the JDK's own tool. */
    static ApiTls certificate(Path directory, String name) throws Exception {
        Path keystore = directory.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "api",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=ip:127.0.0.1",
                        "-keystore",
                        keystore.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "password")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("keytool.log").toFile())
                .start();
        assertThat(keytool.waitFor()).isZero();
        char[] password = "password".toCharArray();
        KeyStore store = KeyStore.getInstance(keystore.toFile(), password);
        Path certificate = Files.writeString(
                directory.resolve(name + ".pem"),
                pem("CERTIFICATE", store.getCertificate("api").getEncoded()));
        Path key = Files.writeString(
                directory.resolve(name + "-key.pem"),
                pem("PRIVATE KEY", store.getKey("api", password).getEncoded()));
        return new ApiTls(certificate, key, Optional.empty());
    }

    private static String pem(String label, byte[] content) {
        return "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content) + "\n-----END " + label
                + "-----\n";
    }

    @Test
    void tlsIsSpokenAndCertificatesOfClientsAreAskedFor() throws Exception {
        ApiTls server = certificate(directory, "server");
        ApiTls client = certificate(directory, "client");
        ApiTls mutual = new ApiTls(server.certificate(), server.key(), Optional.of(client.certificate()));
        try (DaemonFixture api = DaemonFixture.start(settings("127.0.0.1:0", Optional.empty(), Optional.of(mutual)))) {
            String url = api.url().replace("http:", "https:");
            String ca = server.certificate().toString();
            CommandLineRun proved = CommandLineRun.of(
                    "--api",
                    url,
                    "--api-ca",
                    ca,
                    "--api-cert",
                    client.certificate().toString(),
                    "--api-key",
                    client.key().toString(),
                    "frontend",
                    "list");
            assertThat(proved.exitCode()).as(proved.err()).isZero();
            assertThat(proved.out()).contains("none", "yes");
            assertThat(CommandLineRun.of("--api", url, "--api-ca", ca, "frontend", "list")
                            .exitCode())
                    .as("without a certificate")
                    .isEqualTo(1);
            CommandLineRun stranger = CommandLineRun.of("--api", url, "frontend", "list");
            assertThat(stranger.exitCode()).isEqualTo(1);
            assertThat(stranger.err()).contains("cannot be talked to");
        }
    }

    @Test
    void missingFilesOfTlsAreNamed() {
        ApiTls tls = new ApiTls(directory.resolve("cert"), directory.resolve("key"), Optional.empty());
        assertThatThrownBy(() -> DaemonFixture.start(settings("127.0.0.1:0", Optional.empty(), Optional.of(tls))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(directory.resolve("cert").toString());
    }

    @Test
    void anAddressThatIsTakenIsNamedAndTheDirectoryLetGo() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            assertThatThrownBy(() -> DaemonFixture.start(settings(address, Optional.empty(), Optional.empty())))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(address);
        }
        DaemonFixture.start(settings("127.0.0.1:0", Optional.empty(), Optional.empty()))
                .close();
    }

    @Test
    void oneDirectoryHasOneDaemon() throws Exception {
        try (DaemonFixture first = DaemonFixture.in(directory)) {
            assertThatThrownBy(() -> DaemonFixture.in(directory))
                    .isInstanceOf(DiskLockedException.class)
                    .hasMessageContaining(directory.toString());
            assertThat(first.get("/healthz").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aDirectoryOfOneKindIsNotUsedAsTheOther() throws Exception {
        DaemonFixture.in(directory).close();
        DaemonSettings other = new DaemonSettings(
                directory,
                HostPort.parse("127.0.0.1:0"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(HostPort.parse("127.0.0.1:1")),
                Optional.empty(),
                Optional.empty(),
                FrontendSettings.local());
        assertThatThrownBy(() -> DaemonFixture.start(other))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("without --replica-server");
    }
}
