package io.longhorn.backup.s3;

import io.longhorn.BackupTarget;
import io.longhorn.backup.ObjectStore;
import io.longhorn.backup.ObjectStoreProvider;
import java.util.Set;

/**
 * Buckets: {@code s3://bucket@region/path/} or {@code s3://bucket/path/}, with credentials under Longhorn's names: {@code AWS_ACCESS_KEY_ID}, {@code AWS_SECRET_ACCESS_KEY},
 * {@code AWS_SESSION_TOKEN}, {@code AWS_ENDPOINTS}, {@code AWS_CERT}, {@code VIRTUAL_HOSTED_STYLE}, {@code HTTP_PROXY}, {@code HTTPS_PROXY}, {@code NO_PROXY}. Without keys those
 * that Amazon's SDK finds by itself are used.
 */
public final class S3StoreProvider implements ObjectStoreProvider {

    /** For the service loader. */
    public S3StoreProvider() {}

    @Override
    public Set<String> schemes() {
        return Set.of("s3");
    }

    @Override
    public ObjectStore open(BackupTarget target) {
        S3Location location = S3Location.of(target.uri());
        return new S3Store(location, S3Access.of(location, target.credentials()), S3Limits.DEFAULT);
    }
}
