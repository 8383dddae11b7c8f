package io.longhorn.replica;

import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.journal.JournalSettings;
import io.longhorn.replica.layer.MapPageCache;
import java.time.Duration;
import java.util.Objects;

/**
 * Settings of one disk of a replica server.
 *
 * @param segmentBytes size of a journal segment. Default 32 MiB: turning to the next one is rare, and a released one comes back soon. A disk keeps the size that it
 *     began with
 * @param segmentsMax journal segments at most. Default 32: with 32 MiB each bursts of half a GiB are taken in at full speed, and a start after a crash reads 1 GiB at most. They
 *     are made when they are needed first, and kept; more than 8 only while the disk has four times as much free as the journal takes
 * @param checkpointBytes records that wait in the journal before a checkpoint moves them into layers. Default a quarter of the journal: blocks that are written often
 *     are moved once, many scattered ones go together, and there is room for what comes meanwhile
 * @param checkpointPieceBlocks blocks that a checkpoint plans in one turn of the loop. Default 1024: less than a millisecond, for which writes wait
 * @param checkpointQuiet after this time records are moved however few they are. Default 1 s: an idle disk is soon all in layers
 * @param reserveBytes free space that block data never takes. Default 64 MiB: deletions, view changes and metadata need some to free the rest
 * @param openFilesMax layer files open at a time. Default 5000, of which each takes up to three descriptors, during a rebuild four
 * @param mapCacheBytes block map pages in memory. Default 64 MiB: maps of about 20 GiB of blocks
 * @param resolvedCacheBytes resolved pages in memory, for volumes with many snapshots. Default 16 MiB
 * @param scrubBytesPerSecond how fast the scrub reads. Default 4 MiB/s: 345 GiB a day, not noticed by others; 0 is no scrub
 */
public record DiskSettings(
        int segmentBytes,
        int segmentsMax,
        long checkpointBytes,
        int checkpointPieceBlocks,
        Duration checkpointQuiet,
        long reserveBytes,
        int openFilesMax,
        long mapCacheBytes,
        long resolvedCacheBytes,
        long scrubBytesPerSecond) {

    /** What holds if nothing is set. */
    public static final DiskSettings DEFAULTS = builder().build();

    public DiskSettings {
        Objects.requireNonNull(checkpointQuiet, "checkpointQuiet");
        // Checks the journal's own limits.
        JournalSettings journal = JournalSettings.of(segmentBytes, segmentsMax);
        long journalBytes = (long) journal.segmentBytes() * journal.segmentsMax();
        if (checkpointBytes < 1 || checkpointBytes > journalBytes) {
            throw new IllegalArgumentException("checkpointBytes must be 1 to the journal's " + journalBytes
                    + " bytes (segmentBytes * segmentsMax), was " + checkpointBytes);
        }
        requirePositive("checkpointPieceBlocks", checkpointPieceBlocks);
        requirePositive("checkpointQuiet", checkpointQuiet.toNanos());
        requirePositive("openFilesMax", openFilesMax);
        requirePositive("mapCacheBytes", mapCacheBytes);
        requirePositive("resolvedCacheBytes", resolvedCacheBytes);
        requirePositive("reserveBytes + 1", reserveBytes + 1);
        requirePositive("scrubBytesPerSecond + 1", scrubBytesPerSecond + 1);
    }

    private static void requirePositive(String name, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive, was " + value);
        }
    }

    JournalSettings journal() {
        return JournalSettings.of(segmentBytes, segmentsMax).withDiskReserve(reserveBytes);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects settings; what is not set has its default. */
    public static final class Builder {
        private int segmentBytes = JournalSettings.DEFAULT.segmentBytes();
        private int segmentsMax = JournalSettings.DEFAULT.segmentsMax();
        private long checkpointBytes = -1;
        private int checkpointPieceBlocks = 1024;
        private Duration checkpointQuiet = Duration.ofSeconds(1);
        private long reserveBytes = 64L << 20;
        private int openFilesMax = OpenFiles.DEFAULT_MAX;
        private long mapCacheBytes = MapPageCache.DEFAULT_BYTES;
        private long resolvedCacheBytes = 16L << 20;
        private long scrubBytesPerSecond = 4L << 20;

        private Builder() {}

        public Builder journal(int segmentBytes, int segmentsMax) {
            this.segmentBytes = segmentBytes;
            this.segmentsMax = segmentsMax;
            return this;
        }

        public Builder checkpointBytes(long checkpointBytes) {
            this.checkpointBytes = checkpointBytes;
            return this;
        }

        public Builder checkpointPieceBlocks(int checkpointPieceBlocks) {
            this.checkpointPieceBlocks = checkpointPieceBlocks;
            return this;
        }

        public Builder checkpointQuiet(Duration checkpointQuiet) {
            this.checkpointQuiet = checkpointQuiet;
            return this;
        }

        public Builder reserveBytes(long reserveBytes) {
            this.reserveBytes = reserveBytes;
            return this;
        }

        public Builder openFilesMax(int openFilesMax) {
            this.openFilesMax = openFilesMax;
            return this;
        }

        public Builder mapCacheBytes(long mapCacheBytes) {
            this.mapCacheBytes = mapCacheBytes;
            return this;
        }

        public Builder resolvedCacheBytes(long resolvedCacheBytes) {
            this.resolvedCacheBytes = resolvedCacheBytes;
            return this;
        }

        public Builder scrubBytesPerSecond(long scrubBytesPerSecond) {
            this.scrubBytesPerSecond = scrubBytesPerSecond;
            return this;
        }

        /**
         * Checks the settings against their ranges and each other.
         *
         * @throws IllegalArgumentException if one does not fit; names both values where two contradict each other
         */
        public DiskSettings build() {
            long journalBytes = (long) segmentBytes * segmentsMax;
            return new DiskSettings(
                    segmentBytes,
                    segmentsMax,
                    checkpointBytes < 0 ? journalBytes / 4 : checkpointBytes,
                    checkpointPieceBlocks,
                    checkpointQuiet,
                    reserveBytes,
                    openFilesMax,
                    mapCacheBytes,
                    resolvedCacheBytes,
                    scrubBytesPerSecond);
        }
    }
}
