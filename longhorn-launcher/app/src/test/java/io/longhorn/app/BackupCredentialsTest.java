package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class BackupCredentialsTest {

    @Test
    void onlyWhatTargetsKnowIsTaken() {
        Map<String, String> variables = Map.of(
                "AWS_ACCESS_KEY_ID", "id",
                "AWS_SECRET_ACCESS_KEY", "secret",
                "AWS_ENDPOINTS", "",
                "NO_PROXY", "localhost",
                "AWS_REGION", "eu-west-1",
                "PATH", "/bin");
        assertThat(BackupCredentials.ofEnvironment(variables))
                .isEqualTo(Map.of(
                        "AWS_ACCESS_KEY_ID", "id",
                        "AWS_SECRET_ACCESS_KEY", "secret",
                        "AWS_ENDPOINTS", "",
                        "NO_PROXY", "localhost"));
    }
}
