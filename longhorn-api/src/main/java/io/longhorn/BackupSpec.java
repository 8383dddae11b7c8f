package io.longhorn;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;

/** How a snapshot shall be backed up. Immutable; made by {@link #builder}. */
public final class BackupSpec {

    /** The usual size of blocks at a target. */
    public static final int BLOCK_BYTES_SMALL = 2 << 20;

    /** For large volumes: fewer objects, but more is sent for a small change. Longhorn before 1.10 restores such backups wrongly without complaining. */
    public static final int BLOCK_BYTES_LARGE = 16 << 20;

    /** The most workers of one backup. */
    public static final int WORKERS_MAX = 64;

    private static final int WORKERS_DEFAULT = 4;
    private static final BackupSpec DEFAULTS = builder().build();

    private final Optional<String> name;
    private final BackupMode mode;
    private final BackupCompression compression;
    private final OptionalInt blockBytes;
    private final int workers;
    private final long bytesPerSecond;
    private final boolean trustsPresentBlocks;
    private final Map<String, String> labels;

    private BackupSpec(Builder builder) {
        name = builder.name;
        mode = builder.mode;
        compression = builder.compression;
        blockBytes = builder.blockBytes;
        workers = builder.workers;
        bytesPerSecond = builder.bytesPerSecond;
        trustsPresentBlocks = builder.trustsPresentBlocks;
        labels = builder.labels;
    }

    /** Begins a spec with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** An incremental backup with four workers, without labels or limit. */
    public static BackupSpec defaults() {
        return DEFAULTS;
    }

    /** A name for a backup as Longhorn makes them: {@code backup-} and 16 hexadecimal digits, which nobody else has. */
    public static String randomName() {
        return String.format(
                Locale.ROOT, "backup-%016x", ThreadLocalRandom.current().nextLong());
    }

    /** Empty: {@link #randomName()}. */
    public Optional<String> name() {
        return name;
    }

    public BackupMode mode() {
        return mode;
    }

    public BackupCompression compression() {
        return compression;
    }

    /** Empty: that of the backups that the target has of the volume, {@link #BLOCK_BYTES_SMALL} for the first. */
    public OptionalInt blockBytes() {
        return blockBytes;
    }

    public int workers() {
        return workers;
    }

    /** 0: no limit. */
    public long bytesPerSecond() {
        return bytesPerSecond;
    }

    public boolean trustsPresentBlocks() {
        return trustsPresentBlocks;
    }

    /** Unmodifiable, in the order of the keys. */
    public Map<String, String> labels() {
        return labels;
    }

    @Override
    public String toString() {
        return "BackupSpec[name=" + name.orElse("random") + ", mode=" + mode + ", compression=" + compression
                + ", blockBytes=" + (blockBytes.isPresent() ? String.valueOf(blockBytes.getAsInt()) : "as before")
                + ", workers=" + workers + ", bytesPerSecond=" + bytesPerSecond + ", trustsPresentBlocks="
                + trustsPresentBlocks + ", labels=" + labels + "]";
    }

    /** Collects a spec. */
    public static final class Builder {
        private Optional<String> name = Optional.empty();
        private BackupMode mode = BackupMode.INCREMENTAL;
        private BackupCompression compression = BackupCompression.LZ4;
        private OptionalInt blockBytes = OptionalInt.empty();
        private int workers = WORKERS_DEFAULT;
        private long bytesPerSecond;
        private boolean trustsPresentBlocks;
        private Map<String, String> labels = Map.of();

        private Builder() {}

        /**
         * What the backup is called. Default {@link BackupSpec#randomName()}.
         *
         * @param backup matches {@code [a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}}; unique among the backups of the volume at the target
         */
        public Builder name(String backup) {
            name = Optional.of(Names.checked("backup", backup));
            return this;
        }

        /** Default {@link BackupMode#INCREMENTAL}. */
        public Builder mode(BackupMode backupMode) {
            mode = Objects.requireNonNull(backupMode, "mode");
            return this;
        }

        /** Of the first backup of a volume at a target; later ones do as that one did. Default {@link BackupCompression#LZ4}. */
        public Builder compression(BackupCompression method) {
            compression = Objects.requireNonNull(method, "compression");
            return this;
        }

        /**
         * The size of blocks at the target. One that differs from that of earlier backups makes everything be sent again.
         *
         * @param bytes {@link BackupSpec#BLOCK_BYTES_SMALL} or {@link BackupSpec#BLOCK_BYTES_LARGE}
         */
        public Builder blockBytes(int bytes) {
            if (bytes != BLOCK_BYTES_SMALL && bytes != BLOCK_BYTES_LARGE) {
                throw new IllegalArgumentException(
                        "blockBytes must be " + BLOCK_BYTES_SMALL + " or " + BLOCK_BYTES_LARGE + ", was " + bytes);
            }
            blockBytes = OptionalInt.of(bytes);
            return this;
        }

        /**
         * How many blocks are read, compressed and sent at once; each takes about three times the block size of memory. Default 4.
         *
         * @param count 1 to {@value BackupSpec#WORKERS_MAX}
         */
        public Builder workers(int count) {
            if (count < 1 || count > WORKERS_MAX) {
                throw new IllegalArgumentException("workers must be 1 to " + WORKERS_MAX + ", was " + count);
            }
            workers = count;
            return this;
        }

        /**
         * How many bytes may be sent per second, averaged over a second; can be changed while the backup runs. Default 0, no limit.
         *
         * @param bytes not negative
         */
        public Builder bytesPerSecond(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("bytesPerSecond must not be negative, was " + bytes);
            }
            bytesPerSecond = bytes;
            return this;
        }

        /**
         * Whether a block that is to be sent, and that the target has already, is taken for good when its length is right. Default false: it is read back and checked, and sent
         * again if it is damaged.
         */
        public Builder trustPresentBlocks(boolean trusted) {
            trustsPresentBlocks = trusted;
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

        public BackupSpec build() {
            return new BackupSpec(this);
        }
    }
}
