package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProxyRulesTest {
    private static final Optional<URI> HTTP = Optional.of(URI.create("http://plain:3128"));
    private static final Optional<URI> HTTPS = Optional.of(URI.create("http://secure"));

    private static Proxy select(String exempts, String uri) {
        return new ProxyRules(HTTP, HTTPS, ProxyRules.exempts(exempts))
                .select(URI.create(uri))
                .get(0);
    }

    private static boolean isDirect(String exempts, String uri) {
        return select(exempts, uri).equals(Proxy.NO_PROXY);
    }

    @Test
    void eachSchemeHasItsProxy() {
        assertThat(select("", "http://minio:9000/a").address())
                .isEqualTo(InetSocketAddress.createUnresolved("plain", 3128));
        assertThat(select("", "https://minio/a").address()).isEqualTo(InetSocketAddress.createUnresolved("secure", 80));
        assertThat(new ProxyRules(Optional.empty(), HTTPS, ProxyRules.exempts(""))
                        .select(URI.create("http://minio/"))
                        .get(0))
                .isEqualTo(Proxy.NO_PROXY);
    }

    @Test
    void domainsCoverWhatIsBelowThem() {
        for (String domain : new String[] {"example.org", ".example.org", "*.example.org", "a, Example.org ,b"}) {
            assertThat(isDirect(domain, "https://s3.example.org/")).as(domain).isTrue();
            assertThat(isDirect(domain, "https://badexample.org/")).as(domain).isFalse();
        }
        assertThat(isDirect("*", "https://anything/")).isTrue();
    }

    @Test
    void aPortNarrowsAnExemption() {
        assertThat(isDirect("minio:9000", "http://minio:9000/")).isTrue();
        assertThat(isDirect("minio:9000", "http://minio:9001/")).isFalse();
        assertThat(isDirect("minio:443", "https://minio/")).isTrue();
    }

    @Test
    void networksCoverTheirAddresses() {
        assertThat(isDirect("10.32.0.0/11", "http://10.63.255.255:9000/")).isTrue();
        assertThat(isDirect("10.32.0.0/11", "http://10.64.0.0:9000/")).isFalse();
        assertThat(isDirect("10.32.0.0/11", "http://name/")).isFalse();
        assertThat(isDirect("127.0.0.1", "http://127.0.0.1:9000/")).isTrue();
        assertThat(isDirect("fd00::/8", "http://[fd12::1]:9000/")).isTrue();
        assertThat(isDirect("fd00::/8", "http://10.0.0.1/")).isFalse();
        assertThat(isDirect("::1", "http://[::1]:9000/")).isTrue();
    }
}
