package io.longhorn.app.bench;

import java.util.List;

/** Something other than a load that is measured, once in each run; a small table of its own. Used by one thread. */
interface Measurement {

    /** Heads the table. */
    String title();

    /** In the order of the table; those that could not be measured stay empty. */
    List<Figure> figures();

    /** Measures once, adds a value to each figure, and leaves the site as it was. */
    void run(BenchSite site) throws Exception;
}
