/** The engine. Programs use it through {@link io.longhorn.Longhorn}, which finds it at run time. */
module io.longhorn.engine {
    requires transitive io.longhorn.api;
    requires transitive io.longhorn.replica;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports io.longhorn.engine;

    provides io.longhorn.spi.LonghornProvider with
            io.longhorn.engine.EngineProvider;
}
