/** Volumes as block devices for programs that are not Java. */
module io.longhorn.frontend {
    requires transitive io.longhorn.api;
    requires static transitive org.jspecify;

    exports io.longhorn.frontend;
}
