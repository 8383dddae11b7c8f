/** Backup stores in S3, found by the module io.longhorn.backup; programs name nothing of it. */
// The name of what it is about ends in a digit.
@SuppressWarnings("module")
module io.longhorn.backup.s3 {
    requires transitive io.longhorn.backup;
    requires java.net.http;
    requires java.xml;
    requires org.slf4j;
    requires software.amazon.awssdk.auth;
    requires software.amazon.awssdk.awscore;
    requires software.amazon.awssdk.core;
    requires software.amazon.awssdk.http;
    requires software.amazon.awssdk.identity.spi;
    requires software.amazon.awssdk.profiles;
    requires software.amazon.awssdk.regions;
    requires software.amazon.awssdk.retries;
    requires software.amazon.awssdk.retries.api;
    requires software.amazon.awssdk.services.s3;
    requires software.amazon.awssdk.utils;

    exports io.longhorn.backup.s3;

    provides io.longhorn.backup.ObjectStoreProvider with
            io.longhorn.backup.s3.S3StoreProvider;
}
