package io.longhorn.app;

import io.longhorn.Tls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that prove who we are, the same for servers and for those who call them. */
public final class ConnectionOptions {

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "Holds the shared secret in its first line. Engines and replica servers need the same one.")
    private @Nullable Path tokenFile;

    @ArgGroup(exclusive = false)
    private @Nullable TlsFiles tlsFiles;

    /** All of them or none. */
    private static final class TlsFiles {

        @Option(
                names = "--tls-cert",
                paramLabel = "FILE",
                required = true,
                description = "Our certificate, PEM, followed by intermediate ones.")
        private @Nullable Path certificate;

        @Option(names = "--tls-key", paramLabel = "FILE", required = true, description = "Its key, PEM, PKCS#8.")
        private @Nullable Path key;

        @Option(
                names = "--tls-ca",
                paramLabel = "FILE",
                required = true,
                description = "The certificates that may have signed the other side's, PEM.")
        private @Nullable Path authority;
    }

    /**
     * The secret, without the line's end.
     *
     * @throws CommandFailure if the file has none
     */
    public Optional<String> token() {
        if (tokenFile == null) {
            return Optional.empty();
        }
        try {
            String token =
                    Files.readString(tokenFile).lines().findFirst().orElse("").strip();
            if (token.isEmpty()) {
                throw new CommandFailure("token file " + tokenFile + " has no secret in its first line");
            }
            return Optional.of(token);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Optional<Tls> tls() {
        TlsFiles files = tlsFiles;
        if (files == null || files.certificate == null || files.key == null || files.authority == null) {
            return Optional.empty();
        }
        return Optional.of(new Tls(files.certificate, files.key, files.authority));
    }
}
