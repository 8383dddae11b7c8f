package io.longhorn.backup.s3;

import io.longhorn.BackupTarget;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/** An S3 server in this process, which checks signatures and keeps its buckets as folders of a directory, with one bucket in it. */
public final class S3Server implements AutoCloseable {
    public static final String BUCKET = "backups";
    public static final String KEY_ID = "test-key";
    public static final String SECRET = "secret-of-the-test";

    private final BlobStore blobs;
    private final S3Proxy server;
    private final boolean secure;

    private S3Server(Path directory, Optional<SSLContext> tls, Optional<String> virtualHost) throws Exception {
        blobs = new FilesystemNio2BlobStore(directory.toString());
        if (!blobs.containerExists(BUCKET)) {
            blobs.createContainer(BUCKET);
        }
        secure = tls.isPresent();
        S3Proxy.Builder builder = S3Proxy.builder()
                .blobStore(blobs)
                .awsAuthentication(AuthenticationType.AWS_V4, KEY_ID, SECRET)
                .stopTimeout(0);
        if (secure) {
            builder.secureEndpoint(URI.create("https://127.0.0.1:0")).sslContext(tls.get());
        } else {
            builder.endpoint(URI.create("http://127.0.0.1:0"));
        }
        virtualHost.ifPresent(builder::virtualHost);
        server = builder.build();
        server.start();
    }

    /** Over what is in the directory, if anything is. */
    public static S3Server start(Path directory) throws Exception {
        return new S3Server(directory, Optional.empty(), Optional.empty());
    }

    static S3Server startWithTls(Path directory, SSLContext tls) throws Exception {
        return new S3Server(directory, Optional.of(tls), Optional.empty());
    }

    /** Takes BUCKET.HOST in the name of the host. */
    static S3Server startVirtualHosted(Path directory, String host) throws Exception {
        return new S3Server(directory, Optional.empty(), Optional.of(host));
    }

    int port() {
        return secure ? server.getSecurePort() : server.getPort();
    }

    /** Where it listens. */
    public String endpoint() {
        return (secure ? "https" : "http") + "://127.0.0.1:" + port();
    }

    /** To be changed by a test. */
    public Map<String, String> credentials() {
        return new HashMap<>(
                Map.of("AWS_ACCESS_KEY_ID", KEY_ID, "AWS_SECRET_ACCESS_KEY", SECRET, "AWS_ENDPOINTS", endpoint()));
    }

    /** A folder of the bucket. */
    public BackupTarget target(String path) {
        return BackupTarget.at(URI.create("s3://" + BUCKET + "/" + path), credentials());
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("the S3 server does not stop", e);
        }
        blobs.close();
    }
}
