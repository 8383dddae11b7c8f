package io.longhorn.backup;

import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A volume's document in a backup store: {@code docs/format/backup-store.md}, section 2. Texts are empty where the document says nothing.
 *
 * @param sizeBytes the volume's size at its last backup
 * @param labels of the last backup
 * @param createdTime when the volume was first backed up, as it stands there
 * @param lastBackupAt when the last backup was asked for, as it stands there
 * @param blockCount block files in use, as counted by whoever wrote last
 * @param compression name of how blocks are stored; may be unknown to us
 * @param dataEngine {@code v1}, {@code v2} or empty
 */
public record VolumeConfig(
        String name,
        long sizeBytes,
        Map<String, String> labels,
        String createdTime,
        String lastBackupName,
        String lastBackupAt,
        long blockCount,
        String backingImageName,
        String backingImageChecksum,
        String compression,
        String storageClassName,
        String dataEngine) {

    public VolumeConfig {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(createdTime, "createdTime");
        Objects.requireNonNull(lastBackupName, "lastBackupName");
        Objects.requireNonNull(lastBackupAt, "lastBackupAt");
        Objects.requireNonNull(backingImageName, "backingImageName");
        Objects.requireNonNull(backingImageChecksum, "backingImageChecksum");
        Objects.requireNonNull(compression, "compression");
        Objects.requireNonNull(storageClassName, "storageClassName");
        Objects.requireNonNull(dataEngine, "dataEngine");
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    }

    VolumeConfig withLast(String backup, String at) {
        return new VolumeConfig(
                name,
                sizeBytes,
                labels,
                createdTime,
                backup,
                at,
                blockCount,
                backingImageName,
                backingImageChecksum,
                compression,
                storageClassName,
                dataEngine);
    }

    /** After a backup. */
    VolumeConfig withBackup(BackupConfig backup, long bytes, long blocks) {
        return new VolumeConfig(
                name,
                bytes,
                backup.labels(),
                createdTime,
                backup.name(),
                backup.snapshotCreatedAt(),
                blocks,
                backingImageName,
                backingImageChecksum,
                compression,
                storageClassName,
                dataEngine);
    }

    VolumeConfig withBlockCount(long count) {
        return new VolumeConfig(
                name,
                sizeBytes,
                labels,
                createdTime,
                lastBackupName,
                lastBackupAt,
                count,
                backingImageName,
                backingImageChecksum,
                compression,
                storageClassName,
                dataEngine);
    }
}
