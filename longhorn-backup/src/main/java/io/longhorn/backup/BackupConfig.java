package io.longhorn.backup;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A backup's document in a backup store: {@code docs/format/backup-store.md}, section 3. Texts are empty where the document says nothing.
 *
 * @param snapshotCreatedAt when the backup was asked for, as it stands there
 * @param createdTime when it was complete, as it stands there; empty while it is not
 * @param sizeBytes blocks times block size
 * @param parameters what was asked for, {@code backup-mode} and {@code backup-block-size} among it
 * @param isIncremental whether unchanged blocks were taken over from an earlier backup
 * @param compression name of how its blocks are stored; may be unknown to us
 * @param newlyUploadedBytes of new block files, compressed
 * @param reuploadedBytes of block files that were there and were written again, compressed
 * @param blocks all blocks of the volume that are not known to be zeroes
 */
public record BackupConfig(
        String name,
        String volumeName,
        String snapshotName,
        String snapshotCreatedAt,
        String createdTime,
        long sizeBytes,
        Map<String, String> labels,
        Map<String, String> parameters,
        boolean isIncremental,
        String compression,
        long newlyUploadedBytes,
        long reuploadedBytes,
        BlockList blocks) {

    /** Of backups that name none. */
    public static final int BLOCK_BYTES_DEFAULT = 2 << 20;

    static final String MODE = "backup-mode";
    static final String BLOCK_SIZE = "backup-block-size";

    public BackupConfig {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(volumeName, "volumeName");
        Objects.requireNonNull(snapshotName, "snapshotName");
        Objects.requireNonNull(snapshotCreatedAt, "snapshotCreatedAt");
        Objects.requireNonNull(createdTime, "createdTime");
        Objects.requireNonNull(compression, "compression");
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
        parameters = Collections.unmodifiableMap(new TreeMap<>(parameters));
        Objects.requireNonNull(blocks, "blocks");
    }

    /**
     * With a copy of the blocks.
     *
     * @throws IllegalArgumentException if their offsets do not ascend
     */
    public BackupConfig(
            String name,
            String volumeName,
            String snapshotName,
            String snapshotCreatedAt,
            String createdTime,
            long sizeBytes,
            Map<String, String> labels,
            Map<String, String> parameters,
            boolean isIncremental,
            String compression,
            long newlyUploadedBytes,
            long reuploadedBytes,
            List<BlockReference> blocks) {
        this(
                name,
                volumeName,
                snapshotName,
                snapshotCreatedAt,
                createdTime,
                sizeBytes,
                labels,
                parameters,
                isIncremental,
                compression,
                newlyUploadedBytes,
                reuploadedBytes,
                BlockList.copyOf(blocks));
    }

    /** Whether the backup was begun and not ended. */
    public boolean isInProgress() {
        return createdTime.isEmpty();
    }

    /**
     * The size of its blocks.
     *
     * @throws IllegalStateException if the document names one that cannot be
     */
    public int blockBytes() {
        String text = parameters.getOrDefault(BLOCK_SIZE, "");
        if (text.isEmpty() || "0".equals(text)) {
            return BLOCK_BYTES_DEFAULT;
        }
        return switch (text) {
            case "2097152", "2Mi" -> BLOCK_BYTES_DEFAULT;
            case "16777216", "16Mi" -> 16 << 20;
            default -> throw new IllegalStateException("the block size is 2097152 or 16777216, was '" + text + "'");
        };
    }
}
