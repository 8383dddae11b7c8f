/**
 * The public face of Longhorn for Java: volumes, snapshots, backups, their specs, events and errors.
 *
 * <p>Start reading at {@link io.longhorn.Longhorn}, then {@link io.longhorn.Volume}. The implementation is found by
 * {@link java.util.ServiceLoader}: add the artifact {@code io.longhorn:longhorn-engine} at run time.
 */
module io.longhorn.api {
    requires static org.jspecify;

    exports io.longhorn;
    exports io.longhorn.spi;

    uses io.longhorn.spi.LonghornProvider;
    uses io.longhorn.spi.BackupProvider;
}
