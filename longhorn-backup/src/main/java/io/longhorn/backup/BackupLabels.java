package io.longhorn.backup;

import io.longhorn.Snapshot;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What we keep in the labels of a backup, because the layout has no field for it: of which volume and snapshot it is, since names are used again, and the volume's exact size.
 * Longhorn shows and keeps them as it does any label.
 */
final class BackupLabels {
    static final String PREFIX = "longhorn-java/";
    static final String VOLUME_ID = PREFIX + "volume-id";
    static final String SNAPSHOT_CREATED_AT = PREFIX + "snapshot-created-at";
    static final String VOLUME_SIZE = PREFIX + "volume-size";

    private BackupLabels() {}

    /** The caller's labels with ours. */
    static Map<String, String> with(Map<String, String> labels, Snapshot snapshot) {
        Map<String, String> all = new TreeMap<>(labels);
        all.put(VOLUME_ID, snapshot.volume().id().toString());
        all.put(SNAPSHOT_CREATED_AT, snapshot.createdAt().toString());
        all.put(VOLUME_SIZE, Long.toString(snapshot.sizeBytes()));
        return all;
    }

    /** The caller's labels alone. */
    static Map<String, String> without(Map<String, String> labels) {
        Map<String, String> rest = new TreeMap<>(labels);
        rest.keySet().removeIf(key -> key.startsWith(PREFIX));
        return rest;
    }

    /** Whether the backup is of that snapshot. */
    static boolean isOf(BackupConfig backup, Snapshot snapshot) {
        return backup.snapshotName().equals(snapshot.name())
                && snapshot.volume().id().toString().equals(backup.labels().get(VOLUME_ID))
                && isAt(backup.labels().getOrDefault(SNAPSHOT_CREATED_AT, ""), snapshot.createdAt());
    }

    private static boolean isAt(String text, Instant time) {
        try {
            return !text.isEmpty() && Instant.parse(text).equals(time);
        } catch (DateTimeParseException e) {
            return false;
        }
    }

    /** Empty for a backup that is not of ours. */
    static OptionalLong volumeSize(BackupConfig backup) {
        String text = backup.labels().getOrDefault(VOLUME_SIZE, "");
        try {
            return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
