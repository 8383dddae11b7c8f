package io.longhorn;

import java.net.URI;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Where backups are kept: a folder ({@code file:///dir/}), S3 ({@code s3://bucket@region/path/}) or NFS
 * ({@code nfs://host:/export/path}). Immutable. Making one connects to nothing.
 */
public final class BackupTarget {

    private final URI uri;
    private final Map<String, String> credentials;

    private BackupTarget(URI uri, Map<String, String> credentials) {
        this.uri = uri;
        this.credentials = credentials;
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
        return new BackupTarget(uri, Collections.unmodifiableMap(new TreeMap<>(credentials)));
    }

    public URI uri() {
        return uri;
    }

    /** Unmodifiable; never in {@link #toString()}, and not for logs. */
    public Map<String, String> credentials() {
        return credentials;
    }

    /** Whether both name the same place with the same credentials. */
    @Override
    public boolean equals(Object other) {
        return other instanceof BackupTarget that && uri.equals(that.uri) && credentials.equals(that.credentials);
    }

    @Override
    public int hashCode() {
        return Objects.hash(uri, credentials);
    }

    /** The URI without a password, and the names of the credentials without their values. */
    @Override
    public String toString() {
        return "BackupTarget[" + withoutPassword() + ", credentials=" + credentials.keySet() + "]";
    }

    private String withoutPassword() {
        String text = uri.toString();
        String user = uri.getRawUserInfo();
        int colon = user == null ? -1 : user.indexOf(':');
        return user == null || colon < 0 ? text : text.replace(user + "@", user.substring(0, colon) + ":hidden@");
    }
}
