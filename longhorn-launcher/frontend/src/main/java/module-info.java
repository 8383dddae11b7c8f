/** Volumes as block devices for programs that are not Java. */
module io.longhorn.frontend {
    requires transitive io.longhorn.api;
    requires transitive io.netty.buffer;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires org.slf4j;
    requires static com.sun.jna;
    requires static transitive org.jspecify;

    exports io.longhorn.frontend.device;
    exports io.longhorn.frontend.iscsi;
    exports io.longhorn.frontend.nbd;
    exports io.longhorn.frontend.scsi;
    exports io.longhorn.frontend;
}
