package io.longhorn.frontend.nbd;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Makes TLS from its files; versions 1.2 and 1.3 (section "TLS versions"), by the JDK. */
final class TlsContexts {

    private TlsContexts() {}

    /** Null if no TLS is set. */
    static @Nullable SslContext of(NbdSettings settings) {
        Optional<NbdTls> tls = settings.tls();
        return tls.isPresent() ? of(tls.get()) : null;
    }

    private static SslContext of(NbdTls tls) {
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(
                            tls.certificate().toFile(), tls.key().toFile())
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2");
            Optional<Path> authority = tls.authority();
            if (authority.isPresent()) {
                builder.trustManager(authority.get().toFile()).clientAuth(ClientAuth.REQUIRE);
            }
            return builder.build();
        } catch (IllegalArgumentException | SSLException e) {
            throw new TlsFilesException(
                    tls.certificate() + ", " + tls.key()
                            + tls.authority().map(path -> ", " + path).orElse(""),
                    e);
        }
    }
}
