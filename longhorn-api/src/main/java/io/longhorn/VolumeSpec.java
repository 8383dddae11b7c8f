package io.longhorn;

import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * What a new volume shall be like. Immutable; made by {@link #named}.
 *
 * <pre>{@code
 * VolumeSpec.named("orders").sizeBytes(20L << 30).replicas(3).durability(Durability.ON_FLUSH).build()
 * }</pre>
 */
public final class VolumeSpec {

    /** The largest size: 1 PiB, far beyond what one replica's disk holds, and far from overflow in any arithmetic. */
    public static final long SIZE_BYTES_MAX = 1L << 50;

    public static final int REPLICAS_DEFAULT = 3;
    public static final int REPLICAS_MAX = 20;

    private final String name;
    private final OptionalLong sizeBytes;
    private final int replicas;
    private final Durability durability;
    private final boolean allowDegraded;
    private final int minInSync;
    private final VolumeLimits limits;
    private final Map<String, String> labels;

    private VolumeSpec(Builder builder) {
        name = builder.name;
        sizeBytes = builder.sizeBytes;
        replicas = builder.replicas;
        durability = builder.durability;
        allowDegraded = builder.allowDegraded;
        minInSync = builder.minInSync;
        limits = builder.limits;
        labels = builder.labels;
    }

    /**
     * Begins a spec.
     *
     * @param name matches {@code [a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}}; unique in the registry
     * @throws IllegalArgumentException if it does not match
     */
    public static Builder named(String name) {
        return new Builder(Names.checked("volume", name));
    }

    public String name() {
        return name;
    }

    /** Required to create a volume; left out for a clone or a restore, it is that of the snapshot or backup. */
    public OptionalLong sizeBytes() {
        return sizeBytes;
    }

    public int replicas() {
        return replicas;
    }

    public Durability durability() {
        return durability;
    }

    public boolean allowDegraded() {
        return allowDegraded;
    }

    public int minInSync() {
        return minInSync;
    }

    public VolumeLimits limits() {
        return limits;
    }

    /** Unmodifiable, in the order of the keys. */
    public Map<String, String> labels() {
        return labels;
    }

    @Override
    public String toString() {
        return "VolumeSpec[name=" + name + ", sizeBytes="
                + (sizeBytes.isPresent() ? String.valueOf(sizeBytes.getAsLong()) : "from source") + ", replicas="
                + replicas
                + ", durability=" + durability + ", allowDegraded=" + allowDegraded + ", minInSync=" + minInSync
                + ", limits=" + limits + ", labels=" + labels + "]";
    }

    /** The same volume in another size; see {@link Builder#sizeBytes}. */
    public VolumeSpec withSize(long bytes) {
        Builder sized = new Builder(name);
        sized.replicas = replicas;
        sized.durability = durability;
        sized.allowDegraded = allowDegraded;
        sized.minInSync = minInSync;
        sized.limits = limits;
        sized.labels = labels;
        return sized.sizeBytes(bytes).build();
    }

    /** Collects a spec. Each method checks its own value at once, {@link #build()} checks how they fit together. */
    public static final class Builder {

        private final String name;
        private OptionalLong sizeBytes = OptionalLong.empty();
        private int replicas = REPLICAS_DEFAULT;
        private Durability durability = Durability.ON_FLUSH;
        private boolean allowDegraded;
        private int minInSync = 1;
        private VolumeLimits limits = VolumeLimits.NONE;
        private Map<String, String> labels = Map.of();

        private Builder(String name) {
            this.name = name;
        }

        /**
         * How large the volume appears. Space is taken when it is written.
         *
         * @param bytes a positive multiple of {@link Volume#BLOCK_BYTES}, at most {@link #SIZE_BYTES_MAX}
         */
        public Builder sizeBytes(long bytes) {
            if (bytes <= 0 || bytes % Volume.BLOCK_BYTES != 0) {
                throw new IllegalArgumentException(
                        "sizeBytes must be a positive multiple of " + Volume.BLOCK_BYTES + ", was " + bytes);
            }
            if (bytes > SIZE_BYTES_MAX) {
                throw new IllegalArgumentException("sizeBytes must be at most " + SIZE_BYTES_MAX + ", was " + bytes);
            }
            sizeBytes = OptionalLong.of(bytes);
            return this;
        }

        /** How many replicas hold the volume, 1 to {@value #REPLICAS_MAX}. Default 3: survives the loss of two. */
        public Builder replicas(int count) {
            if (count < 1 || count > REPLICAS_MAX) {
                throw new IllegalArgumentException("replicas must be 1 to " + REPLICAS_MAX + ", was " + count);
            }
            replicas = count;
            return this;
        }

        /** What the return of a plain write means. Default {@link Durability#ON_FLUSH}, what file systems expect. */
        public Builder durability(Durability mode) {
            durability = Objects.requireNonNull(mode, "durability");
            return this;
        }

        /**
         * Whether the volume may begin with fewer replicas than wanted, the others being added when servers come up.
         * Default false: a volume that was never healthy is more often a mistake than a wish.
         */
        public Builder allowDegraded(boolean allowed) {
            allowDegraded = allowed;
            return this;
        }

        /**
         * How many replicas must be in sync for changes to be accepted, 1 to the number of replicas. Default 1: the
         * volume goes on as long as one replica is left.
         */
        public Builder minInSync(int count) {
            if (count < 1) {
                throw new IllegalArgumentException("minInSync must be at least 1, was " + count);
            }
            minInSync = count;
            return this;
        }

        /** How fast the volume may be used. Default {@link VolumeLimits#NONE}; can change later. */
        public Builder limits(VolumeLimits volumeLimits) {
            limits = Objects.requireNonNull(volumeLimits, "limits");
            return this;
        }

        /**
         * Free text for people and programs, at most 64 pairs; keys of 1 to 128 bytes, values up to 1024 bytes of UTF-8,
         * together at most 2048 bytes. Default none.
         */
        public Builder labels(Map<String, String> pairs) {
            labels = Names.checkedLabels(pairs);
            return this;
        }

        /**
         * Checks how the values fit together.
         *
         * @throws IllegalArgumentException if minInSync exceeds replicas
         */
        public VolumeSpec build() {
            if (minInSync > replicas) {
                throw new IllegalArgumentException("minInSync " + minInSync + " must not exceed replicas " + replicas
                        + ": no write would be accepted");
            }
            return new VolumeSpec(this);
        }
    }
}
