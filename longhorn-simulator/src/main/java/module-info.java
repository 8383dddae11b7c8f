/** The simulator: engine, replicas and registry on virtual time, with faults and a checker. */
module io.longhorn.simulator {
    requires static transitive org.jspecify;
    requires transitive io.longhorn.api;
    requires transitive io.longhorn.engine;
    requires transitive io.longhorn.replica;

    exports io.longhorn.simulator;
    exports io.longhorn.simulator.history;
}
