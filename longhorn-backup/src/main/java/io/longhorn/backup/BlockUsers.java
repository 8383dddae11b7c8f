package io.longhorn.backup;

import io.longhorn.BackupNotFoundException;
import io.longhorn.DamagedBackupException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which complete backups of a volume need a block, and where they have it. */
final class BlockUsers {
    private static final Logger LOG = LoggerFactory.getLogger(BlockUsers.class);

    /** Where a block is in a backup, and how it is stored for it. */
    record Place(long offsetBytes, int blockBytes, Compression compression) {}

    private final List<String> backups = new ArrayList<>(1);
    private final Set<Place> places = new LinkedHashSet<>(1);

    private BlockUsers() {}

    /**
     * Reads the documents of all backups of the volume, one after another; those that cannot be read are passed over.
     *
     * @param checksums of the blocks that are looked for, few
     * @param watch called before each document
     * @return by checksum; those that no backup needs are not in it
     */
    static Map<String, BlockUsers> of(BackupStore store, String volume, Collection<String> checksums, Runnable watch) {
        ChecksumSet wanted = new ChecksumSet();
        checksums.forEach(wanted::add);
        Map<String, BlockUsers> users = new HashMap<>();
        for (String name : store.backups(volume)) {
            watch.run();
            try {
                BackupConfig config = store.backup(volume, name);
                if (!config.isInProgress()) {
                    addAll(config, wanted, users);
                }
            } catch (DamagedBackupException | BackupNotFoundException e) {
                LOG.debug("not looked into", e);
            }
        }
        return users;
    }

    private static void addAll(BackupConfig config, ChecksumSet wanted, Map<String, BlockUsers> users) {
        Compression compression = Compression.of(config.compression()).orElseThrow();
        BlockList blocks = config.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (wanted.contains(blocks, i)) {
                BlockReference block = blocks.get(i);
                users.computeIfAbsent(block.checksum(), checksum -> new BlockUsers())
                        .add(config.name(), new Place(block.offsetBytes(), config.blockBytes(), compression));
            }
        }
    }

    private void add(String backup, Place place) {
        if (backups.isEmpty() || !backups.get(backups.size() - 1).equals(backup)) {
            backups.add(backup);
        }
        places.add(place);
    }

    List<String> backups() {
        return backups;
    }

    /** One at least. */
    Collection<Place> places() {
        return places;
    }
}
