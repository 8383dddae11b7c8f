package io.longhorn.app;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say where a daemon is and who we are to it. May stand before the command or behind it. */
public final class ApiOptions {

    @Option(
            names = "--api",
            paramLabel = "URL",
            description = "The API of the daemon, http://HOST:PORT or https://HOST:PORT. Default: LONGHORN_API.")
    @Nullable
    String url;

    @Option(
            names = "--api-token-file",
            paramLabel = "FILE",
            description = "Holds the API's token in its first line. Default: that of LONGHORN_API_TOKEN_FILE, or"
                    + " LONGHORN_API_TOKEN itself.")
    @Nullable
    Path tokenFile;

    @Option(
            names = "--api-ca",
            paramLabel = "FILE",
            description = "Who may have signed the API's certificate, PEM. Default: LONGHORN_API_CA, or those that Java"
                    + " trusts.")
    @Nullable
    Path authority;

    @Option(names = "--api-cert", paramLabel = "FILE", description = "Our certificate for the API, if it asks for one.")
    @Nullable
    Path certificate;

    @Option(names = "--api-key", paramLabel = "FILE", description = "Its key, PEM, PKCS#8.")
    @Nullable
    Path key;

    /** For picocli. */
    public ApiOptions() {}
}
