package io.longhorn.app.daemon;

import java.util.Locale;

/**
 * Writes metrics in Prometheus' text format 0.0.4: per metric a line of help and one of its type, then its samples. Labels come in pairs of name and value.
 */
final class MetricsText {

    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final StringBuilder text = new StringBuilder();
    private String name = "";

    /** Begins a metric that goes up and down. */
    MetricsText gauge(String metric, String help) {
        return begin(metric, help, "gauge");
    }

    /** Begins a metric that only goes up; its name ends in {@code _total}. */
    MetricsText counter(String metric, String help) {
        return begin(metric, help, "counter");
    }

    private MetricsText begin(String metric, String help, String type) {
        name = metric;
        text.append("# HELP ").append(metric).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(metric).append(' ').append(type).append('\n');
        return this;
    }

    MetricsText sample(long value, String... labels) {
        begin(labels).append(value).append('\n');
        return this;
    }

    MetricsText sample(double value, String... labels) {
        begin(labels).append(String.format(Locale.ROOT, "%.9g", value)).append('\n');
        return this;
    }

    private StringBuilder begin(String... labels) {
        text.append(name);
        for (int i = 0; i < labels.length; i += 2) {
            text.append(i == 0 ? '{' : ',').append(labels[i]).append("=\"");
            escape(labels[i + 1]);
            text.append('"');
        }
        return text.append(labels.length == 0 ? " " : "} ");
    }

    private void escape(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> text.append("\\\\");
                case '"' -> text.append("\\\"");
                case '\n' -> text.append("\\n");
                default -> text.append(c);
            }
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
