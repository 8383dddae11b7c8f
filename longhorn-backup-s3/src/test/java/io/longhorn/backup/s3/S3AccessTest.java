package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTargetException;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;

class S3AccessTest {
    private static final S3Location LOCATION = S3Location.of(URI.create("s3://bucket@eu-west-1/path/"));

    private static S3Access of(Map<String, String> credentials) {
        return S3Access.of(LOCATION, credentials);
    }

    private static AbstractThrowableAssert<?, ?> refused(String name, String value) {
        return assertThatThrownBy(() -> of(Map.of(name, value)))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("s3://bucket@eu-west-1/path/")
                .hasMessageContaining("the credential " + name + " ");
    }

    @Test
    void nothingGivenIsAmazonWithWhatTheSdkFinds() {
        S3Access access = of(Map.of());
        assertThat(access.keys()).isEmpty();
        assertThat(access.endpoint()).isEmpty();
        assertThat(access.virtualHosted()).isTrue();
        assertThat(access.proxies()).isEmpty();
        assertThat(of(Map.of(
                        "AWS_ACCESS_KEY_ID", "", "AWS_SECRET_ACCESS_KEY", " ", "AWS_ENDPOINTS", "", "AWS_CERT", "")))
                .isEqualTo(access);
    }

    @Test
    void keysAreTakenAndNeverShown() {
        S3Access access = of(Map.of(
                "AWS_ACCESS_KEY_ID", "AKID", "AWS_SECRET_ACCESS_KEY", "hidden", "AWS_SESSION_TOKEN", "hidden-too"));
        assertThat(access.keys()).contains(new S3Access.Keys("AKID", "hidden", Optional.of("hidden-too")));
        assertThat(access.toString()).doesNotContain("AKID", "hidden-too");
    }

    @Test
    void halfOfTheKeysIsRefused() {
        refusedAs("AWS_SECRET_ACCESS_KEY", Map.of("AWS_ACCESS_KEY_ID", "AKID"));
        refusedAs("AWS_ACCESS_KEY_ID", Map.of("AWS_SECRET_ACCESS_KEY", "hidden"));
        refusedAs("AWS_ACCESS_KEY_ID", Map.of("AWS_SESSION_TOKEN", "hidden"));
    }

    private static void refusedAs(String missing, Map<String, String> credentials) {
        assertThatThrownBy(() -> of(credentials))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("the credential " + missing + " is missing")
                .hasMessageNotContaining("hidden");
    }

    @Test
    void anEndpointMeansPathsUnlessToldOtherwise() {
        S3Access access = of(Map.of("AWS_ENDPOINTS", "https://minio.local:9000"));
        assertThat(access.endpoint()).contains(URI.create("https://minio.local:9000"));
        assertThat(access.virtualHosted()).isFalse();
        assertThat(of(Map.of("AWS_ENDPOINTS", "http://minio", "VIRTUAL_HOSTED_STYLE", "True"))
                        .virtualHosted())
                .isTrue();
        assertThat(of(Map.of("VIRTUAL_HOSTED_STYLE", "false")).virtualHosted()).isFalse();
    }

    @Test
    void ofSeveralEndpointsTheFirstIsUsed() {
        assertThat(of(Map.of("AWS_ENDPOINTS", "http://one:9000, http://two:9000"))
                        .endpoint())
                .contains(URI.create("http://one:9000"));
        refused("AWS_ENDPOINTS", "http://one:9000,two");
    }

    @Test
    void wrongValuesAreNamedWithWhatIsExpected() {
        for (String endpoint : new String[] {"minio:9000", "ftp://minio", "http://", "http:// a", "http://a?b=c"}) {
            refused("AWS_ENDPOINTS", endpoint).hasMessageContaining("http://host:port");
        }
        refused("AWS_ENDPOINTS", "http://user:hidden@minio").hasMessageNotContaining("hidden");
        refused("VIRTUAL_HOSTED_STYLE", "yes").hasMessageContaining("true or false");
        refused("AWS_SIGN_ACCEPT_ENCODING", "yes").hasMessageContaining("true or false");
        refused("AWS_IAM_ROLE_ARN", "arn:aws:iam::1:role/r").hasMessageContaining("not supported");
        refused("AWS_CERT", "hidden").hasMessageContaining("PEM").hasMessageNotContaining("hidden");
        refused("AWS_CERT", "-----BEGIN CERTIFICATE-----\nhidden\n-----END CERTIFICATE-----")
                .hasMessageContaining("PEM")
                .hasMessageNotContaining("hidden");
        refused("HTTPS_PROXY", "https://proxy").hasMessageContaining("http://host:port");
        refused("HTTP_PROXY", "http://user:hidden@proxy:3128")
                .hasMessageContaining("password")
                .hasMessageNotContaining("hidden");
        refused("AWS_ENDPOINT", "http://minio:9000").hasMessageContaining("AWS_ENDPOINTS");
    }

    @Test
    void aWrongExceptionFromProxiesIsNamed() {
        assertThatThrownBy(() -> of(Map.of("HTTP_PROXY", "proxy:3128", "NO_PROXY", "10.0.0.0/64")))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("the credential NO_PROXY is a list")
                .hasMessageContaining("10.0.0.0/64");
    }
}
