package io.longhorn.app.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One figure of a {@link Measurement}: a row of its table, with a value for each run. Used by one thread. */
final class Figure {

    private final String title;
    private final String unit;
    private final String target;
    private final List<Double> runs = new ArrayList<>();

    /** One that has no target of its own. */
    Figure(String title, String unit) {
        this(title, unit, "");
    }

    /**
     * Begins without values.
     *
     * @param unit of the values
     * @param target what the value should be, as people read it
     */
    Figure(String title, String unit, String target) {
        this.title = title;
        this.unit = unit;
        this.target = target;
    }

    String title() {
        return title;
    }

    String unit() {
        return unit;
    }

    String target() {
        return target;
    }

    void add(double value) {
        runs.add(value);
    }

    boolean isEmpty() {
        return runs.isEmpty();
    }

    double median() {
        return Median.of(runs.stream().mapToDouble(Double::doubleValue));
    }

    double min() {
        return runs.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
    }

    double max() {
        return runs.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("title", title);
        json.put("unit", unit);
        if (!target.isEmpty()) {
            json.put("target", target);
        }
        json.put("median", median());
        json.put("min", min());
        json.put("max", max());
        json.put("runs", List.copyOf(runs));
        return json;
    }
}
