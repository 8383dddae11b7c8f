package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LonghornConfigTest {

    private static final Path REGISTRY = Path.of("registry");

    @Test
    void defaultsAreThoseOfTheRecords() {
        LonghornConfig config = minimal().build();

        assertThat(config.registry()).isEqualTo(REGISTRY);
        assertThat(config.replicaServers()).containsExactly(new HostPort("10.0.0.1", 9500));
        assertThat(config.token()).isEmpty();
        assertThat(config.tls()).isEmpty();
        assertThat(config.timeLimits()).isEqualTo(TimeLimits.DEFAULTS);
        assertThat(config.dataPath()).isEqualTo(DataPathSettings.DEFAULTS);
        assertThat(config.rebuild()).isEqualTo(RebuildSettings.DEFAULTS);
    }

    @Test
    void whatIsSetIsThere() {
        LonghornConfig config = minimal()
                .replicaServer("[::1]:9501")
                .token("a secret token")
                .tls(Path.of("cert.pem"), Path.of("key.pem"), Path.of("ca.pem"))
                .operationTimeLimit(Duration.ofSeconds(11))
                .openingTimeLimit(Duration.ofSeconds(12))
                .connectTimeLimit(Duration.ofSeconds(1))
                .silenceRemoval(Duration.ofMillis(100))
                .lease(Duration.ofMillis(500))
                .reconnect(Duration.ofMillis(50))
                .registryCheck(Duration.ofMillis(300))
                .readCacheBytes(0)
                .queueDepthMax(64)
                .inFlightBytesMax(8 << 20)
                .rebuildBytesPerSecondMax(1 << 20)
                .build();

        assertThat(config.replicaServers()).hasSize(2);
        assertThat(config.token()).contains("a secret token");
        assertThat(config.tls()).contains(new Tls(Path.of("cert.pem"), Path.of("key.pem"), Path.of("ca.pem")));
        assertThat(config.timeLimits())
                .isEqualTo(new TimeLimits(
                        Duration.ofSeconds(11),
                        Duration.ofSeconds(12),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(100),
                        Duration.ofMillis(500),
                        Duration.ofMillis(50),
                        Duration.ofMillis(300)));
        assertThat(config.dataPath()).isEqualTo(new DataPathSettings(0, 64, 8 << 20));
        assertThat(config.rebuild().bytesPerSecondMax()).isEqualTo(1 << 20);
    }

    @Test
    void theRegistryIsRequired() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LonghornConfig.builder().replicaServer("h:1").build())
                .withMessageContaining("registry");
        assertThat(LonghornConfig.builder().registry(REGISTRY).build().replicaServers())
                .isEmpty();
    }

    @Test
    void aServerNamedTwiceIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> minimal().replicaServer("10.0.0.1:9500"))
                .withMessageContaining("10.0.0.1:9500")
                .withMessageContaining("twice");
    }

    @Test
    void portZeroIsForServersOnly() {
        assertThatIllegalArgumentException().isThrownBy(() -> minimal().replicaServer("10.0.0.1:0"));
    }

    @Test
    void leaseNotLongerThanSilenceRemovalIsRefusedNamingBoth() {
        LonghornConfig.Builder builder =
                minimal().silenceRemoval(Duration.ofSeconds(4)).lease(Duration.ofSeconds(4));

        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContaining("silenceRemoval PT4S")
                .withMessageContaining("lease PT4S");
    }

    @Test
    void openingNotLongerThanTheLeaseIsRefusedNamingBoth() {
        assertThatIllegalArgumentException()
                .isThrownBy(minimal().lease(Duration.ofSeconds(40))::build)
                .withMessageContaining("lease PT40S")
                .withMessageContaining("opening PT30S");
    }

    @Test
    void timesAndSizesOutOfBoundsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(minimal().reconnect(Duration.ZERO)::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().connectTimeLimit(Duration.ofSeconds(-1))::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().operationTimeLimit(Duration.ofDays(2))::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().readCacheBytes(-1)::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().queueDepthMax(0)::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().queueDepthMax(65_537)::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().inFlightBytesMax(1000)::build);
        assertThatIllegalArgumentException().isThrownBy(minimal().rebuildBytesPerSecondMax(-1)::build);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "two\nlines", "carriage\rreturn"})
    void wrongTokensAreRefusedWithoutBeingShown(String token) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> minimal().token(token))
                .withMessageNotContaining("lines")
                .withMessageNotContaining("carriage");
    }

    @Test
    void secretsAreNotShown() {
        LonghornConfig config = minimal().token("s3cr3t").build();
        BackupTarget target = BackupTarget.at(
                URI.create("cifs://backup:s3cr3t@host/share"), Map.of("AWS_SECRET_ACCESS_KEY", "s3cr3t"));

        assertThat(config.toString()).doesNotContain("s3cr3t").contains("10.0.0.1:9500", "hidden");
        assertThat(target.toString())
                .doesNotContain("s3cr3t")
                .contains("cifs://backup:hidden@host/share", "AWS_SECRET_ACCESS_KEY");
        assertThat(BackupTarget.at(URI.create("s3://bucket@region/path/")).toString())
                .contains("s3://bucket@region/path/");
    }

    @Test
    void keysOfABackupTargetAreComparedAndNeverShown() {
        byte[] bytes = "0123456789abcdefghijklmnopqrstuv".getBytes(StandardCharsets.US_ASCII);
        BackupTarget plain = BackupTarget.at(URI.create("file:///backups/"));
        BackupTarget target = plain.encryptedWith(BackupKeys.of("key-1", bytes));
        bytes[0]++;

        assertThat(plain.keys()).isEmpty();
        assertThat(target.keys().orElseThrow().key("key-1").orElseThrow())
                .startsWith('0')
                .hasSize(BackupKeys.KEY_BYTES);
        assertThat(target.keys().orElseThrow().key("key-2")).isEmpty();
        bytes[0]--;
        assertThat(target)
                .isEqualTo(plain.encryptedWith(BackupKeys.of("key-1", bytes)))
                .hasSameHashCodeAs(plain.encryptedWith(BackupKeys.of("key-1", bytes)))
                .isNotEqualTo(plain)
                .isNotEqualTo(plain.encryptedWith(BackupKeys.of("key-2", bytes)));
        assertThat(target.toString()).contains("key-1").doesNotContain("0123", "48, 49");
        bytes[31]++;
        assertThat(target).isNotEqualTo(plain.encryptedWith(BackupKeys.of("key-1", bytes)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BackupKeys.of("key-1", new byte[16]))
                .withMessageContaining("32 bytes, was 16");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BackupKeys.of("key 1", new byte[32]))
                .withMessageContaining("key 1");
    }

    @Test
    void aBackupTargetNeedsAScheme() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BackupTarget.at(URI.create("/backups")))
                .withMessageContaining("/backups");
    }

    private static LonghornConfig.Builder minimal() {
        return LonghornConfig.builder().registry(REGISTRY).replicaServer("10.0.0.1:9500");
    }
}
