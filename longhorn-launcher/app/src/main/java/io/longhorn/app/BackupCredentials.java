package io.longhorn.app;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The credentials of backup targets, under the names that they have in Longhorn's secrets and everywhere else. */
public final class BackupCredentials {
    /** All names that are known. */
    public static final List<String> NAMES = List.of(
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_ENDPOINTS",
            "AWS_CERT",
            "AWS_IAM_ROLE_ARN",
            "AWS_SIGN_ACCEPT_ENCODING",
            "VIRTUAL_HOSTED_STYLE",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY");

    private BackupCredentials() {}

    /** Those of them that the variables have. */
    public static Map<String, String> ofEnvironment(Map<String, String> variables) {
        Map<String, String> credentials = new TreeMap<>(variables);
        credentials.keySet().retainAll(NAMES);
        return credentials;
    }
}
