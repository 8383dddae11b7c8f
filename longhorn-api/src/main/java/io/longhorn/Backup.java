package io.longhorn;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A complete backup on a target. It describes what was found there; the backup may have been deleted since.
 *
 * @param target where it is
 * @param volume the name of the volume that was backed up
 * @param name unique among the backups of that volume
 * @param snapshot the name of the snapshot that was backed up
 * @param volumeSizeBytes the exact size of the volume then, and the default size of a restored volume
 * @param sizeBytes the data that the backup refers to, before compression
 * @param newBytes what was stored at the target for it, compressed; the rest it shares with earlier backups
 * @param createdAt when it was completed
 * @param labels unmodifiable, in the order of the keys
 */
public record Backup(
        BackupTarget target,
        String volume,
        String name,
        String snapshot,
        long volumeSizeBytes,
        long sizeBytes,
        long newBytes,
        Instant createdAt,
        Map<String, String> labels) {

    public Backup {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(volume, "volume");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(snapshot, "snapshot");
        Objects.requireNonNull(createdAt, "createdAt");
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    }
}
