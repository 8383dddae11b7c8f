package io.longhorn.app.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One row of the table: a load or a baseline, and the figures of its runs. Used by one thread. */
final class BenchRow {

    private final String title;
    private final boolean baseline;
    private final List<BenchFigures> runs = new ArrayList<>();

    BenchRow(String title, boolean baseline) {
        this.title = title;
        this.baseline = baseline;
    }

    String title() {
        return title;
    }

    boolean isBaseline() {
        return baseline;
    }

    void add(BenchFigures run) {
        runs.add(run);
    }

    boolean isEmpty() {
        return runs.isEmpty();
    }

    BenchFigures median() {
        return BenchFigures.median(runs);
    }

    double iopsMin() {
        return BenchFigures.min(runs);
    }

    double iopsMax() {
        return BenchFigures.max(runs);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("title", title);
        json.put("baseline", baseline);
        json.put("median", median().toJson());
        json.put("runs", runs.stream().map(BenchFigures::toJson).toList());
        return json;
    }
}
