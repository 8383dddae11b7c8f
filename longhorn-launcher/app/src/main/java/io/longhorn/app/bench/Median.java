package io.longhorn.app.bench;

import java.util.stream.DoubleStream;

/** The value in the middle. */
final class Median {

    private Median() {}

    /** Of one value or more; between the two in the middle if their number is even. */
    static double of(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
