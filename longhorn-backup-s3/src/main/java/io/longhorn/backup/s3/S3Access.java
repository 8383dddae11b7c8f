package io.longhorn.backup.s3;

import io.longhorn.BackupTargetException;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How to get at a bucket, as the credentials of a target say it.
 *
 * @param keys empty: those that the SDK finds
 * @param endpoint empty: Amazon's
 * @param authorities whom to trust in addition to the JVM's own
 * @param virtualHosted whether the bucket stands in the name of the host instead of the path
 * @param proxies empty: those of the JVM
 */
record S3Access(
        Optional<Keys> keys,
        Optional<URI> endpoint,
        List<X509Certificate> authorities,
        boolean virtualHosted,
        Optional<ProxyRules> proxies) {

    /** Never in a message. */
    record Keys(String id, String secret, Optional<String> sessionToken) {
        @Override
        public String toString() {
            return "Keys[hidden]";
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(S3Access.class);
    private static final String ACCESS_KEY_ID = "AWS_ACCESS_KEY_ID";
    private static final String SECRET_ACCESS_KEY = "AWS_SECRET_ACCESS_KEY";
    private static final String SESSION_TOKEN = "AWS_SESSION_TOKEN";
    private static final String ENDPOINTS = "AWS_ENDPOINTS";
    private static final String CERT = "AWS_CERT";
    private static final String IAM_ROLE_ARN = "AWS_IAM_ROLE_ARN";
    private static final String VIRTUAL_HOSTED_STYLE = "VIRTUAL_HOSTED_STYLE";
    private static final String HTTP_PROXY = "HTTP_PROXY";
    private static final String HTTPS_PROXY = "HTTPS_PROXY";
    private static final String NO_PROXY = "NO_PROXY";
    /** Our requests have no such header, so there is nothing to sign or not to sign. */
    private static final String SIGN_ACCEPT_ENCODING = "AWS_SIGN_ACCEPT_ENCODING";

    private static final Set<String> KNOWN = Set.of(
            ACCESS_KEY_ID,
            SECRET_ACCESS_KEY,
            SESSION_TOKEN,
            ENDPOINTS,
            CERT,
            IAM_ROLE_ARN,
            VIRTUAL_HOSTED_STYLE,
            HTTP_PROXY,
            HTTPS_PROXY,
            NO_PROXY,
            SIGN_ACCEPT_ENCODING);

    S3Access {
        authorities = List.copyOf(authorities);
    }

    /**
     * What the credentials say; those with an empty value count as absent, as in Longhorn.
     *
     * @throws BackupTargetException names the one that is wrong, and what is expected; never a value that may be secret
     */
    static S3Access of(S3Location location, Map<String, String> credentials) {
        return new Reader(location, credentials).read();
    }

    private record Reader(S3Location location, Map<String, String> credentials) {

        S3Access read() {
            requireKnown();
            if (value(IAM_ROLE_ARN).isPresent()) {
                throw wrong(IAM_ROLE_ARN, "is not supported: give keys, or none and let the SDK find the role's");
            }
            Optional<URI> endpoint = endpoint();
            flag(SIGN_ACCEPT_ENCODING);
            return new S3Access(
                    keys(), endpoint, authorities(), flag(VIRTUAL_HOSTED_STYLE).orElse(endpoint.isEmpty()), proxies());
        }

        private void requireKnown() {
            for (String name : credentials.keySet()) {
                if (!KNOWN.contains(name)) {
                    throw wrong(name, "is not known; there are " + String.join(", ", new TreeSet<>(KNOWN)));
                }
            }
        }

        private Optional<String> value(String name) {
            return Optional.ofNullable(credentials.get(name)).map(String::strip).filter(value -> !value.isEmpty());
        }

        private Optional<Keys> keys() {
            Optional<String> id = value(ACCESS_KEY_ID);
            Optional<String> secret = value(SECRET_ACCESS_KEY);
            Optional<String> token = value(SESSION_TOKEN);
            if (id.isPresent() && secret.isPresent()) {
                return Optional.of(new Keys(id.get(), secret.get(), token));
            }
            if (id.isPresent()) {
                throw wrong(SECRET_ACCESS_KEY, "is missing, while there is " + ACCESS_KEY_ID);
            }
            if (secret.isPresent() || token.isPresent()) {
                throw wrong(ACCESS_KEY_ID, "is missing, while there is a secret");
            }
            return Optional.empty();
        }

        private Optional<URI> endpoint() {
            Optional<String> value = value(ENDPOINTS);
            if (value.isEmpty()) {
                return Optional.empty();
            }
            List<URI> endpoints = new ArrayList<>();
            for (String text : value.get().split(",", -1)) {
                endpoints.add(url(ENDPOINTS, text.strip(), "http://host:port or https://host:port", true));
            }
            if (endpoints.size() > 1) {
                LOG.warn("of several endpoints the first is used: target={} endpoint={}", location, endpoints.get(0));
            }
            return Optional.of(endpoints.get(0));
        }

        private Optional<ProxyRules> proxies() {
            Optional<URI> http = proxy(HTTP_PROXY);
            Optional<URI> https = proxy(HTTPS_PROXY);
            if (http.isEmpty() && https.isEmpty()) {
                return Optional.empty();
            }
            try {
                return Optional.of(new ProxyRules(
                        http, https, ProxyRules.exempts(value(NO_PROXY).orElse(""))));
            } catch (IllegalArgumentException e) {
                throw wrong(NO_PROXY, String.valueOf(e.getMessage()));
            }
        }

        private Optional<URI> proxy(String name) {
            String expected = "http://host:port; one that asks for a password is not supported";
            return value(name).map(text -> url(name, text.contains("://") ? text : "http://" + text, expected, false));
        }

        private URI url(String name, String text, String expected, boolean httpsToo) {
            try {
                URI url = new URI(text);
                boolean scheme = "http".equalsIgnoreCase(url.getScheme())
                        || (httpsToo && "https".equalsIgnoreCase(url.getScheme()));
                boolean bare = url.getRawUserInfo() == null && url.getRawQuery() == null && url.getFragment() == null;
                if (scheme && url.getHost() != null && bare) {
                    return url;
                }
            } catch (URISyntaxException e) {
                // Its message repeats the text, in which there may be a password.
                throw wrong(name, "is a URL: " + expected);
            }
            throw wrong(name, "is a URL: " + expected);
        }

        private Optional<Boolean> flag(String name) {
            return value(name).map(text -> {
                if (!"true".equalsIgnoreCase(text) && !"false".equalsIgnoreCase(text)) {
                    throw wrong(name, "is true or false");
                }
                return Boolean.valueOf(text);
            });
        }

        private List<X509Certificate> authorities() {
            Optional<String> pem = value(CERT);
            if (pem.isEmpty()) {
                return List.of();
            }
            try {
                byte[] bytes = pem.get().getBytes(StandardCharsets.US_ASCII);
                List<X509Certificate> certificates =
                        CertificateFactory.getInstance("X.509")
                                .generateCertificates(new ByteArrayInputStream(bytes))
                                .stream()
                                .map(X509Certificate.class::cast)
                                .toList();
                if (!certificates.isEmpty()) {
                    return certificates;
                }
            } catch (CertificateException e) {
                throw wrong(CERT, "is one or more certificates in PEM form: " + e.getMessage());
            }
            throw wrong(CERT, "is one or more certificates in PEM form: there is none in it");
        }

        private BackupTargetException wrong(String name, String why) {
            return new BackupTargetException(location.toString(), "the credential " + name + " " + why);
        }
    }
}
