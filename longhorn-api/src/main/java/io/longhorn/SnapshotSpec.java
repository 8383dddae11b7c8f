package io.longhorn;

import java.util.Map;

/** What a new snapshot shall be called. Immutable; made by {@link #named}. */
public final class SnapshotSpec {

    private final String name;
    private final Map<String, String> labels;

    private SnapshotSpec(Builder builder) {
        name = builder.name;
        labels = builder.labels;
    }

    /**
     * Begins a spec.
     *
     * @param name matches {@code [a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}}; unique in the volume
     * @throws IllegalArgumentException if it does not match
     */
    public static Builder named(String name) {
        return new Builder(Names.checked("snapshot", name));
    }

    public String name() {
        return name;
    }

    /** Unmodifiable, in the order of the keys. */
    public Map<String, String> labels() {
        return labels;
    }

    @Override
    public String toString() {
        return "SnapshotSpec[name=" + name + ", labels=" + labels + "]";
    }

    /** Collects a spec. */
    public static final class Builder {

        private final String name;
        private Map<String, String> labels = Map.of();

        private Builder(String name) {
            this.name = name;
        }

        /**
         * Free text for people and programs, at most 64 pairs; keys of 1 to 128 bytes, values up to 1024 bytes of UTF-8,
         * together at most 2048 bytes. Default none.
         */
        public Builder labels(Map<String, String> pairs) {
            labels = Names.checkedLabels(pairs);
            return this;
        }

        public SnapshotSpec build() {
            return new SnapshotSpec(this);
        }
    }
}
