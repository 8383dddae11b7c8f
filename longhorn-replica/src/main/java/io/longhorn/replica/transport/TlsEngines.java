package io.longhorn.replica.transport;

import io.longhorn.Tls;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * TLS with certificates on both sides, from the files of {@link Tls}: each side shows its certificate, and takes only one that the authority
 * has signed; the connecting side also checks that the certificate names the host it wanted to reach. TLS 1.3, or 1.2. The files are
 * read once. Safe for any thread.
 */
public final class TlsEngines {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    /** Threads for the expensive steps of handshakes, gone when idle. */
    private static final int THREADS = 2;

    private static final long IDLE_SECONDS = 5;

    private final SSLContext context;
    private final Executor tasks = newTasks();

    /** One side of a connection to be. */
    record Handshake(SSLEngine engine, Executor tasks) {}

    private TlsEngines(SSLContext context) {
        this.context = context;
    }

    /**
     * Reads the files.
     *
     * @throws IOException if one is missing or not what it should be; says which, and what was expected
     */
    public static TlsEngines load(Tls files) throws IOException {
        List<X509Certificate> chain = PemFile.certificates(files.certificate());
        List<X509Certificate> authorities = PemFile.certificates(files.authority());
        PrivateKey key = PemFile.privateKey(files.key(), chain.get(0), files.certificate());
        try {
            char[] noPassword = new char[0];
            KeyStore keys = emptyStore();
            keys.setKeyEntry("own", key, noPassword, chain.toArray(new X509Certificate[0]));
            KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keyManagers.init(keys, noPassword);
            KeyStore trusted = emptyStore();
            for (int i = 0; i < authorities.size(); i++) {
                trusted.setCertificateEntry("authority-" + i, authorities.get(i));
            }
            TrustManagerFactory trustManagers =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trustManagers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), new SecureRandom());
            return new TlsEngines(context);
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    "cannot use certificate " + files.certificate() + " with key " + files.key() + " and authority "
                            + files.authority() + ": " + e.getMessage(),
                    e);
        }
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    /** The connecting side; {@code host} must be in the peer's certificate. */
    Handshake connecting(String host, int port) {
        SSLEngine engine = context.createSSLEngine(host, port);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        return new Handshake(engine, tasks);
    }

    /** The accepting side; the peer must show a certificate. */
    Handshake accepting() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        parameters.setNeedClientAuth(true);
        engine.setSSLParameters(parameters);
        return new Handshake(engine, tasks);
    }

    private static Executor newTasks() {
        AtomicInteger count = new AtomicInteger();
        // What waits here is bounded by the connections that are being made, which have limits of their own.
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                THREADS, THREADS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "longhorn-tls-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }
}
