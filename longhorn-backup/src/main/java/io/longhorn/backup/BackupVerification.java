package io.longhorn.backup;

import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.ProgressListener;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads backups whole, each block once however many refer to it, and tells what is damaged and whom it affects. Changes nothing. Used once.
 */
public final class BackupVerification {

    /**
     * Something that is missing or wrong.
     *
     * @param key of the object
     * @param reason a sentence without a subject
     * @param backups that need it; empty if all of the volume's do
     */
    public record Damage(String volume, String key, String reason, List<String> backups) {
        public Damage {
            backups = List.copyOf(backups);
        }

        @Override
        public String toString() {
            return key + ": " + reason + "; affects "
                    + (backups.isEmpty()
                            ? "volume " + volume
                            : "of volume " + volume + ": " + String.join(", ", backups));
        }
    }

    private final BackupStore store;
    private final List<Damage> damages = new ArrayList<>();
    private int backups;
    private int inProgress;
    private long blocks;
    private long doneBytes;
    private long totalBytes;

    public BackupVerification(BackupStore store) {
        this.store = store;
    }

    /** Verifies every backup of every volume. */
    public BackupVerification all(ProgressListener progress) {
        List<String> volumes = store.volumes();
        for (String volume : volumes) {
            volume(volume, store.backups(volume), progress);
        }
        return this;
    }

    /**
     * Verifies one backup.
     *
     * @throws BackupNotFoundException if there is none
     */
    public BackupVerification one(String volume, String backup, ProgressListener progress) {
        if (!store.backups(volume).contains(backup)) {
            throw new BackupNotFoundException(store.describe(), volume, backup);
        }
        volume(volume, List.of(backup), progress);
        return this;
    }

    /** A block, and who needs it. */
    private record Need(BackupConfig config, BlockReference block, List<String> backups) {}

    private void volume(String volume, List<String> names, ProgressListener progress) {
        try {
            if (store.volume(volume).isEmpty()) {
                damages.add(new Damage(volume, StoreLayout.volumeConfig(volume), "it is missing", List.of()));
            }
        } catch (DamagedBackupException e) {
            damages.add(new Damage(volume, e.key(), e.reason(), List.of()));
        }
        Map<String, Need> needs = needs(volume, names);
        for (Need need : needs.values()) {
            totalBytes += need.config.blockBytes();
        }
        for (Need need : needs.values()) {
            verify(need);
            doneBytes += need.config.blockBytes();
            progress.progress(doneBytes, totalBytes);
        }
    }

    private Map<String, Need> needs(String volume, List<String> names) {
        Map<String, Need> needs = new LinkedHashMap<>();
        for (String name : names) {
            complete(volume, name).ifPresent(config -> addNeeds(config, needs));
        }
        return needs;
    }

    private static void addNeeds(BackupConfig config, Map<String, Need> needs) {
        for (BlockReference block : config.blocks()) {
            List<String> users = needs.computeIfAbsent(
                            block.checksum(), checksum -> new Need(config, block, new ArrayList<>(1)))
                    .backups;
            if (users.isEmpty() || !users.get(users.size() - 1).equals(config.name())) {
                users.add(config.name());
            }
        }
    }

    /** The document of a backup that is complete, counted; empty if it is not, or damaged, or deleted since it was listed. */
    private Optional<BackupConfig> complete(String volume, String name) {
        try {
            BackupConfig config = store.backup(volume, name);
            if (config.isInProgress()) {
                inProgress++;
                return Optional.empty();
            }
            backups++;
            return Optional.of(config);
        } catch (BackupNotFoundException e) {
            return Optional.empty();
        } catch (DamagedBackupException e) {
            damages.add(new Damage(volume, e.key(), e.reason(), List.of(name)));
            return Optional.empty();
        }
    }

    private void verify(Need need) {
        try {
            store.block(need.config, need.block);
            blocks++;
        } catch (DamagedBackupException e) {
            damages.add(new Damage(e.volume(), e.key(), e.reason(), need.backups));
        } catch (BackupTargetException e) {
            // One that cannot be read; the target as a whole may still be there.
            damages.add(new Damage(
                    need.config.volumeName(),
                    StoreLayout.block(need.config.volumeName(), need.block.checksum()),
                    e.reason(),
                    need.backups));
        }
    }

    /** What was found, in the order in which it was. */
    public List<Damage> damages() {
        return List.copyOf(damages);
    }

    /** Complete backups whose documents could be read. */
    public int backups() {
        return backups;
    }

    /** Backups that were begun and not ended. */
    public int inProgress() {
        return inProgress;
    }

    /** Blocks found right. */
    public long blocks() {
        return blocks;
    }
}
