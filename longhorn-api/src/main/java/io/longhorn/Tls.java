package io.longhorn;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Files for TLS with certificates on both sides, all PEM.
 *
 * @param certificate our certificate, followed by intermediate ones
 * @param key its private key, PKCS#8, not encrypted
 * @param authority the certificates that may have signed the other side's
 */
public record Tls(Path certificate, Path key, Path authority) {

    public Tls {
        Objects.requireNonNull(certificate, "certificate");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(authority, "authority");
    }
}
