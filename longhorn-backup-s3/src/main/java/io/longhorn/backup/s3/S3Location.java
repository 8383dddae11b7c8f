package io.longhorn.backup.s3;

import io.longhorn.BackupTargetException;
import io.longhorn.backup.ObjectKey;
import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which objects of which bucket.
 *
 * @param prefix what all keys begin with, empty or with a slash at its end
 */
record S3Location(String bucket, Optional<String> region, String prefix) {
    /** Java takes {@code bucket@region} for user and host, and knows no host with an underscore, so the authority is taken apart here. Old buckets have longer names than new ones. */
    private static final Pattern AUTHORITY =
            Pattern.compile("(?<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(@(?<region>[a-z0-9][a-z0-9-]*))?");

    /** @throws BackupTargetException if the URI is of another form */
    static S3Location of(URI uri) {
        String authority = uri.getRawAuthority() == null ? "" : uri.getRawAuthority();
        Matcher matcher = AUTHORITY.matcher(authority);
        if (!matcher.matches()) {
            throw wrong(uri, "a bucket is written s3://bucket@region/path/ or s3://bucket/path/");
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw wrong(uri, "a bucket takes no parameters, they belong into the credentials");
        }
        return new S3Location(
                matcher.group("bucket"), Optional.ofNullable(matcher.group("region")), prefix(uri, uri.getPath()));
    }

    private static String prefix(URI uri, String path) {
        if (path.isEmpty() || "/".equals(path)) {
            return "";
        }
        try {
            return ObjectKey.check(path.replaceFirst("^/", "").replaceFirst("/$", "")) + "/";
        } catch (IllegalArgumentException e) {
            throw wrong(uri, "the path is names with a slash between them, none of them empty, . or ..");
        }
    }

    /** Some put keys where the bucket belongs, so nothing of a URI that is wrong is repeated but its path. */
    private static BackupTargetException wrong(URI uri, String expected) {
        return new BackupTargetException("s3://..." + uri.getPath(), expected);
    }

    @Override
    public String toString() {
        return "s3://" + bucket + region.map(name -> "@" + name).orElse("") + "/" + prefix;
    }
}
