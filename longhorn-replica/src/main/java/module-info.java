/** The replica server and the wire protocol. Start reading at {@link io.longhorn.replica}. */
// Those that a package is exported to are built after this one.
@SuppressWarnings("module")
module io.longhorn.replica {
    requires transitive io.longhorn.api;
    requires org.slf4j;
    // The option to write past the cache.
    requires jdk.unsupported;
    requires static com.sun.jna;
    requires static transitive org.jspecify;

    exports io.longhorn.replica;
    exports io.longhorn.replica.disk to
            io.longhorn.engine,
            io.longhorn.simulator;
    exports io.longhorn.replica.transport;
    exports io.longhorn.replica.wire;
}
