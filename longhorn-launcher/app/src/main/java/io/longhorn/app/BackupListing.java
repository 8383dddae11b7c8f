package io.longhorn.app;

import io.longhorn.Backup;
import io.longhorn.BackupNotFoundException;
import io.longhorn.DamagedBackupException;
import io.longhorn.backup.BackupConfig;
import io.longhorn.backup.BackupStore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The backups at a target, and how programs are told of one. */
public final class BackupListing {

    private BackupListing() {}

    /**
     * The complete backups of all volumes, by volume and time.
     *
     * @param damaged told of each that cannot be understood
     */
    public static List<BackupConfig> complete(BackupStore store, Consumer<DamagedBackupException> damaged) {
        List<BackupConfig> backups = new ArrayList<>();
        for (String volume : store.volumes()) {
            List<BackupConfig> its = new ArrayList<>();
            for (String name : store.backups(volume)) {
                try {
                    complete(store, volume, name).ifPresent(its::add);
                } catch (DamagedBackupException e) {
                    damaged.accept(e);
                }
            }
            its.sort(Comparator.comparing(BackupConfig::createdTime).thenComparing(BackupConfig::name));
            backups.addAll(its);
        }
        return backups;
    }

    private static Optional<BackupConfig> complete(BackupStore store, String volume, String name) {
        try {
            return Optional.of(store.backup(volume, name)).filter(backup -> !backup.isInProgress());
        } catch (BackupNotFoundException e) {
            // Deleted since its name was listed.
            return Optional.empty();
        }
    }

    /** One of a list. */
    public static Map<String, Object> json(BackupConfig backup) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("volume", backup.volumeName());
        json.put("name", backup.name());
        json.put("sizeBytes", backup.sizeBytes());
        json.put("createdAt", backup.createdTime());
        json.put("snapshot", backup.snapshotName());
        json.put("labels", backup.labels());
        return json;
    }

    /** All of one. */
    public static Map<String, Object> details(BackupConfig backup) {
        Map<String, Object> json = json(backup);
        json.put("newBytes", backup.newlyUploadedBytes());
        json.put("incremental", backup.isIncremental());
        json.put("compression", backup.compression());
        json.put("blockBytes", backup.blockBytes());
        json.put("blocks", backup.blocks().size());
        json.put("parameters", backup.parameters());
        return json;
    }

    /** One that was just made. */
    public static Map<String, Object> json(Backup backup) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("volume", backup.volume());
        json.put("name", backup.name());
        json.put("sizeBytes", backup.sizeBytes());
        json.put("newBytes", backup.newBytes());
        json.put("createdAt", backup.createdAt().toString());
        json.put("snapshot", backup.snapshot());
        json.put("labels", backup.labels());
        return json;
    }
}
