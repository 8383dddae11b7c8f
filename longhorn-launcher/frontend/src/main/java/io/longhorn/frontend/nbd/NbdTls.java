package io.longhorn.frontend.nbd;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Files with which a server proves who it is, all PEM; read when it starts. */
public final class NbdTls {

    private final Path certificate;
    private final Path key;
    private final @Nullable Path authority;

    private NbdTls(Path certificate, Path key, @Nullable Path authority) {
        this.certificate = Objects.requireNonNull(certificate, "certificate");
        this.key = Objects.requireNonNull(key, "key");
        this.authority = authority;
    }

    /**
     * Any client may connect.
     *
     * @param certificate the server's certificate, followed by intermediate ones
     * @param key its private key, PKCS#8, not encrypted
     */
    public static NbdTls of(Path certificate, Path key) {
        return new NbdTls(certificate, key, null);
    }

    /**
     * A client must show a certificate.
     *
     * @param certificate the server's certificate, followed by intermediate ones
     * @param key its private key, PKCS#8, not encrypted
     * @param authority the certificates that must have signed the client's
     */
    public static NbdTls ofKnownClients(Path certificate, Path key, Path authority) {
        return new NbdTls(certificate, key, Objects.requireNonNull(authority, "authority"));
    }

    /** The server's certificate, followed by intermediate ones. */
    public Path certificate() {
        return certificate;
    }

    /** Its private key. */
    public Path key() {
        return key;
    }

    /** What must have signed a client's certificate; empty if clients need none. */
    public Optional<Path> authority() {
        return Optional.ofNullable(authority);
    }
}
