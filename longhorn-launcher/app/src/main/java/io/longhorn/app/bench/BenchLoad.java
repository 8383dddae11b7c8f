package io.longhorn.app.bench;

import io.longhorn.Durability;
import java.util.List;

/**
 * One load on a volume: a number of operations always in flight, each followed at once by the next.
 *
 * @param title the row's name in the table
 * @param write whether it writes; reads otherwise
 * @param random whether offsets are random; otherwise they go up and wrap around
 * @param bytes of each operation
 * @param depth how many are in flight
 * @param durability of the volume that it runs on
 */
record BenchLoad(String title, boolean write, boolean random, int bytes, int depth, Durability durability) {

    private static final int SMALL = 4 << 10;
    private static final int LARGE = 128 << 10;

    /** What the table shows, in its order. Reads do not depend on the durability of the volume. */
    static final List<BenchLoad> ALL = List.of(
            new BenchLoad("4k random write, depth 1", true, true, SMALL, 1, Durability.ON_FLUSH),
            new BenchLoad("4k random write, depth 32", true, true, SMALL, 32, Durability.ON_FLUSH),
            new BenchLoad("4k random write, depth 1, WRITE_THROUGH", true, true, SMALL, 1, Durability.WRITE_THROUGH),
            new BenchLoad("4k random write, depth 32, WRITE_THROUGH", true, true, SMALL, 32, Durability.WRITE_THROUGH),
            new BenchLoad("4k random read, depth 1", false, true, SMALL, 1, Durability.ON_FLUSH),
            new BenchLoad("4k random read, depth 32", false, true, SMALL, 32, Durability.ON_FLUSH),
            new BenchLoad("128k sequential write, depth 8", true, false, LARGE, 8, Durability.ON_FLUSH),
            new BenchLoad(
                    "128k sequential write, depth 8, WRITE_THROUGH", true, false, LARGE, 8, Durability.WRITE_THROUGH),
            new BenchLoad("128k sequential read, depth 8", false, false, LARGE, 8, Durability.ON_FLUSH));

    /** Runs on a volume with a read cache, over a range that fits into it. */
    static final BenchLoad CACHED =
            new BenchLoad("4k random read, depth 1, read cache hit", false, true, SMALL, 1, Durability.ON_FLUSH);
}
