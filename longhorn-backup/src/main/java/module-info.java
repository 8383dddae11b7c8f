/** Backups. Programs use them through {@link io.longhorn.Longhorn} and {@link io.longhorn.Snapshot}; tools that need no volume use {@link io.longhorn.backup.BackupStore}. */
module io.longhorn.backup {
    requires transitive io.longhorn.api;
    requires com.fasterxml.jackson.core;
    requires org.lz4.java;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports io.longhorn.backup;

    uses io.longhorn.backup.ObjectStoreProvider;

    provides io.longhorn.backup.ObjectStoreProvider with
            io.longhorn.backup.FolderStoreProvider,
            io.longhorn.backup.nfs.NfsStoreProvider;
    provides io.longhorn.spi.BackupProvider with
            io.longhorn.backup.LonghornBackups;
}
