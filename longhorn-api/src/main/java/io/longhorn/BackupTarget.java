package io.longhorn;

import java.net.URI;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where backups are kept: a folder ({@code file:///dir/}), S3 ({@code s3://bucket@region/path/}) or NFS
 * ({@code nfs://host:/export/path}). Immutable. Making one connects to nothing.
 */
public final class BackupTarget {

    private final URI uri;
    private final Map<String, String> credentials;
    private final Optional<BackupKeys> keys;

    private BackupTarget(URI uri, Map<String, String> credentials, Optional<BackupKeys> keys) {
        this.uri = uri;
        this.credentials = credentials;
        this.keys = keys;
    }

    /**
     * A target that needs no credentials.
     *
     * @throws IllegalArgumentException if the URI has no scheme
     */
    public static BackupTarget at(URI uri) {
        return at(uri, Map.of());
    }

    /**
     * A target with credentials.
     *
     * @param credentials under the names that Longhorn uses, such as {@code AWS_ACCESS_KEY_ID}; copied
     * @throws IllegalArgumentException if the URI has no scheme
     */
    public static BackupTarget at(URI uri, Map<String, String> credentials) {
        Objects.requireNonNull(uri, "uri");
        if (uri.getScheme() == null) {
            throw new IllegalArgumentException(
                    "a backup target is an absolute URI such as file:///dir/ or s3://bucket@region/path/, was " + uri);
        }
        return new BackupTarget(uri, Collections.unmodifiableMap(new TreeMap<>(credentials)), Optional.empty());
    }

    /**
     * The same target, whose backups are encrypted here before they are sent, all but the names of volumes and backups. It must be empty, or have been encrypted from
     * its first backup on. Longhorn itself cannot read it.
     */
    public BackupTarget encryptedWith(BackupKeys backupKeys) {
        return new BackupTarget(uri, credentials, Optional.of(backupKeys));
    }

    public URI uri() {
        return uri;
    }

    /** Unmodifiable; never in {@link #toString()}, and not for logs. */
    public Map<String, String> credentials() {
        return credentials;
    }

    /** What its backups are encrypted with; empty if they are not. */
    public Optional<BackupKeys> keys() {
        return keys;
    }

    /** Whether both name the same place with the same credentials, and equal keys. */
    @Override
    public boolean equals(Object other) {
        return other instanceof BackupTarget that
                && uri.equals(that.uri)
                && credentials.equals(that.credentials)
                && keys.equals(that.keys);
    }

    @Override
    public int hashCode() {
        return Objects.hash(uri, credentials, keys);
    }

    /** The URI without a password, the names of the credentials without their values, and the id of the current key. */
    @Override
    public String toString() {
        return "BackupTarget[" + withoutPassword() + ", credentials=" + credentials.keySet()
                + keys.map(given -> ", key=" + given.currentKeyId()).orElse("") + "]";
    }

    private String withoutPassword() {
        String text = uri.toString();
        String user = uri.getRawUserInfo();
        int colon = user == null ? -1 : user.indexOf(':');
        return user == null || colon < 0 ? text : text.replace(user + "@", user.substring(0, colon) + ":hidden@");
    }
}
