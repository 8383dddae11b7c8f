package io.longhorn.backup.s3;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** TLS that trusts some authorities in addition to those of the JVM, as Longhorn does. */
final class TrustedAuthorities {
    private TrustedAuthorities() {}

    static SSLContext with(List<X509Certificate> authorities) {
        try {
            List<X509Certificate> all = new ArrayList<>(authorities);
            for (TrustManager manager : managers(null)) {
                if (manager instanceof X509TrustManager trusting) {
                    all.addAll(Arrays.asList(trusting.getAcceptedIssuers()));
                }
            }
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (X509Certificate authority : all) {
                store.setCertificateEntry("authority-" + store.size(), authority);
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers(store), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the JVM cannot set up TLS", e);
        }
    }

    /** Of the JVM's own authorities if none are given. */
    private static TrustManager[] managers(@Nullable KeyStore authorities) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(authorities);
        return factory.getTrustManagers();
    }
}
