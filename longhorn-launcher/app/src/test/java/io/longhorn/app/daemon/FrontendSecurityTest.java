package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.app.CommandFailure;
import io.longhorn.frontend.iscsi.ChapCredentials;
import io.longhorn.frontend.nbd.NbdTls;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may use what a daemon shows. */
class FrontendSecurityTest {
    private static final ChapCredentials INITIATOR = new ChapCredentials("shop", "secret-of-shop");
    private static final String EVERYWHERE = "0.0.0.0:0";

    @TempDir
    private Path directory;

    private DaemonFixture start(FrontendSettings frontends) throws Exception {
        DaemonSettings local = DaemonFixture.settings(directory.resolve("daemon"), Optional.empty());
        DaemonFixture api = DaemonFixture.start(new DaemonSettings(
                local.directory(),
                local.api(),
                local.tokenFile(),
                local.apiTls(),
                local.replicaListen(),
                local.replicaServers(),
                local.replicaToken(),
                local.replicaTls(),
                frontends));
        api.post("/v1/volumes", Map.of("name", "orders", "sizeBytes", 4096, "replicas", 1));
        return api;
    }

    private static FrontendSettings settings(Optional<NbdTls> tls, Optional<ChapSecrets> chap, boolean trusted) {
        return new FrontendSettings(Optional.empty(), tls, Optional.empty(), chap, Optional.empty(), trusted);
    }

    private static HttpResponse<String> attach(DaemonFixture api, String kind, String listen) throws Exception {
        return api.post("/v1/volumes/orders/attach", Map.of("frontend", kind, "listen", listen));
    }

    @Test
    void whatAsksNobodyWhoHeIsStaysOnLoopback() throws Exception {
        try (DaemonFixture api = start(FrontendSettings.local())) {
            for (String kind : List.of("nbd", "iscsi")) {
                HttpResponse<String> refused = attach(api, kind, EVERYWHERE);
                assertThat(refused.statusCode()).as(refused.body()).isEqualTo(403);
                assertThat(refused.body()).contains("FRONTEND_OPEN", "--trusted-network");
            }
        }
        try (DaemonFixture api = start(settings(Optional.empty(), Optional.empty(), true))) {
            assertThat(attach(api, "nbd", EVERYWHERE).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void nbdThatAsksForCertificatesMayListenEverywhereAndSpeaksNothingElse() throws Exception {
        ApiTls files = DaemonSecurityTest.certificate(directory, "server");
        NbdTls known = NbdTls.ofKnownClients(files.certificate(), files.key(), files.certificate());
        try (DaemonFixture api = start(settings(Optional.of(known), Optional.empty(), false))) {
            HttpResponse<String> attached = attach(api, "nbd", EVERYWHERE);
            assertThat(attached.statusCode()).as(attached.body()).isEqualTo(200);
            assertThat(attached.body()).contains("nbds://");
            assertThat(attach(api, "iscsi", EVERYWHERE).statusCode()).isNotEqualTo(200);
        }
        try (DaemonFixture api =
                start(settings(Optional.of(NbdTls.of(files.certificate(), files.key())), Optional.empty(), false))) {
            api.post("/v1/volumes/orders/detach", Map.of());
            assertThat(attach(api, "nbd", EVERYWHERE).body()).contains("FRONTEND_OPEN");
            String socket = "unix:" + directory.resolve("nbd.sock");
            assertThat(attach(api, "nbd", socket).body()).contains("nbd+unix:///orders?socket=");
        }
    }

    @Test
    void iscsiThatAsksForASecretMayListenEverywhere() throws Exception {
        ChapSecrets chap = new ChapSecrets(INITIATOR, Optional.empty());
        try (DaemonFixture api = start(settings(Optional.empty(), Optional.of(chap), false))) {
            assertThat(attach(api, "iscsi", EVERYWHERE).body()).contains("iscsi://");
        }
    }

    @Test
    void secretsAreReadAndWhatIsWrongIsSaidWithoutThem() throws IOException {
        Path file = Files.writeString(directory.resolve("chap"), "\nshop   secret-of-shop\nstore secret-of-store \n");
        assertThat(ChapSecrets.read(file))
                .isEqualTo(new ChapSecrets(INITIATOR, Optional.of(new ChapCredentials("store", "secret-of-store"))));
        Files.writeString(file, "shop secret-of-shop");
        assertThat(ChapSecrets.read(file)).isEqualTo(new ChapSecrets(INITIATOR, Optional.empty()));
        assertRefused(file, "", "has 0 lines");
        assertRefused(file, "a secret\nb secret2\nc secret3", "has 3 lines");
        assertRefused(file, "secret-alone", "a line is \"NAME SECRET\"");
        assertRefused(file, "a secret\nb secret", "different secrets");
        assertRefused(file, "a " + "s".repeat(257), "1 to 256 characters");
        Path missing = directory.resolve("none");
        assertThatThrownBy(() -> ChapSecrets.read(missing)).hasMessageContaining("cannot be read");
    }

    private static void assertRefused(Path file, String content, String why) throws IOException {
        Files.writeString(file, content);
        assertThatThrownBy(() -> ChapSecrets.read(file))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining(why)
                .hasMessageNotContaining("secret-alone");
    }
}
