package io.longhorn.app.daemon;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/**
 * The files of the API's TLS, all PEM.
 *
 * @param certificate the daemon's, followed by intermediate ones
 * @param key its private key, PKCS#8, not encrypted
 * @param authority who may have signed the certificates that clients must show; empty: they need none
 */
public record ApiTls(Path certificate, Path key, Optional<Path> authority) {

    public ApiTls {
        Objects.requireNonNull(certificate, "certificate");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(authority, "authority");
    }

    /** @throws IOException if a file is missing or not what it should be */
    SslContextFactory.Server factory() throws IOException {
        for (Path file :
                authority.map(ca -> new Path[] {certificate, key, ca}).orElseGet(() -> new Path[] {certificate, key})) {
            if (!Files.isRegularFile(file)) {
                throw new NoSuchFileException(file.toString());
            }
        }
        SslContextFactory.Server factory = new SslContextFactory.Server();
        factory.setSslContext(context());
        factory.setNeedClientAuth(authority.isPresent());
        return factory;
    }

    /** Netty reads PEM files, which the JDK does not. */
    private SSLContext context() throws IOException {
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK);
            authority.ifPresent(ca -> builder.trustManager(ca.toFile()).clientAuth(ClientAuth.REQUIRE));
            return ((JdkSslContext) builder.build()).context();
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "TLS cannot be used with certificate " + certificate + " and key " + key + ": " + e.getMessage(),
                    e);
        }
    }
}
