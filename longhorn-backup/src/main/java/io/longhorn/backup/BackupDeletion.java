package io.longhorn.backup;

import io.longhorn.BackupNotFoundException;
import io.longhorn.DamagedBackupException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes a backup: first its document, so that nobody restores it any more, then the blocks that no other backup refers to. A crash anywhere leaves blocks without use at worst;
 * the next deletion takes them too. Nothing is swept while another backup is in progress or cannot be read, since nobody knows what it needs. Used once, one thread.
 */
final class BackupDeletion {

    /**
     * What was done.
     *
     * @param blocks block files deleted
     * @param bytes of these, compressed
     * @param notSwept why no blocks were deleted; empty if all was done
     */
    record Report(long blocks, long bytes, Optional<String> notSwept) {}

    private static final Logger LOG = LoggerFactory.getLogger(BackupDeletion.class);
    /** As many as S3 takes in one request. */
    private static final int DELETED_AT_ONCE = 1000;

    /** The order in which backups were completed. */
    static final Comparator<BackupConfig> BY_TIME =
            Comparator.comparing(BackupConfig::createdTime).thenComparing(BackupConfig::name);

    private final BackupStore store;
    private final ObjectStore objects;
    private final String volume;
    private final String backup;
    private final StoreTime time;

    BackupDeletion(BackupStore store, ObjectStore objects, String volume, String backup, StoreTime time) {
        this.store = store;
        this.objects = objects;
        this.volume = volume;
        this.backup = backup;
        this.time = time;
    }

    /**
     * Deletes it. A document that cannot be read is deleted as any other.
     *
     * @throws BackupNotFoundException if there is no such backup
     */
    Report run() throws IOException, InterruptedException {
        String key = StoreLayout.backupConfig(volume, backup);
        try (StoreLock lock = StoreLock.acquire(objects, volume, StoreLock.Kind.DELETION, time)) {
            if (objects.find(key).isEmpty()) {
                throw new BackupNotFoundException(objects.describe(), volume, backup);
            }
            lock.keep();
            objects.delete(List.of(key));
            return swept(lock);
        }
    }

    private Report swept(StoreLock lock) throws IOException, InterruptedException {
        String last = lastOfRest();
        List<String> names = listedAfterwards(lock);
        if (!last.isEmpty()
                && !names.contains(last)
                && objects.find(StoreLayout.backupConfig(volume, last)).isPresent()) {
            return notSwept("no listing shows backup " + last + ", which is there");
        }
        ChecksumSet referenced = new ChecksumSet();
        BackupConfig newest = null;
        for (String name : names) {
            lock.keep();
            BackupConfig config;
            try {
                config = store.backup(volume, name);
            } catch (DamagedBackupException e) {
                return notSwept("backup " + name + " cannot be read: " + e.reason());
            } catch (BackupNotFoundException e) {
                return notSwept("a listing shows backup " + name + ", which is not there");
            }
            if (config.isInProgress()) {
                return notSwept("backup " + name + " is in progress");
            }
            referenced.addAll(config.blocks());
            newest = newest == null || BY_TIME.compare(newest, config) < 0 ? config : newest;
        }
        if (!store.backups(volume).equals(names)) {
            return notSwept("the backups changed meanwhile");
        }
        Sweep sweep = new Sweep(lock, referenced);
        objects.list(StoreLayout.blocks(volume), sweep);
        sweep.flush();
        noteRest(Optional.ofNullable(newest), referenced.size());
        return new Report(sweep.blocks, sweep.bytes, Optional.empty());
    }

    /**
     * The other backups. A listing that does not show the deletion yet may lack backups that were completed before it: it is waited for, and if that takes too long, who is deleted is
     * in the answer and cannot be read.
     */
    private List<String> listedAfterwards(StoreLock lock) throws IOException, InterruptedException {
        long begin = time.nanoTime();
        List<String> names = store.backups(volume);
        while (names.contains(backup) && time.nanoTime() - begin < StoreLock.LISTING_LAG_MAX.toNanos()) {
            lock.keep();
            time.sleep(StoreLock.SETTLING);
            names = store.backups(volume);
        }
        return names;
    }

    private Report notSwept(String reason) {
        LOG.info("blocks stay for now: volume={} reason={}", volume, reason);
        return new Report(0, 0, Optional.of(reason));
    }

    /** Which one the volume's document names as the last; empty if none. The one that is deleted it names no longer. */
    private String lastOfRest() throws IOException {
        Optional<VolumeConfig> config = readableVolume();
        String last = config.map(VolumeConfig::lastBackupName).orElse("");
        if (config.isEmpty() || !last.equals(backup)) {
            return last;
        }
        write(config.get().withLast("", ""));
        return "";
    }

    private void noteRest(Optional<BackupConfig> newest, long blockCount) throws IOException {
        Optional<VolumeConfig> config = readableVolume();
        if (config.isPresent()) {
            write(config.get()
                    .withLast(
                            newest.map(BackupConfig::name).orElse(""),
                            newest.map(BackupConfig::snapshotCreatedAt).orElse(""))
                    .withBlockCount(blockCount));
        }
    }

    private Optional<VolumeConfig> readableVolume() {
        try {
            return store.volume(volume);
        } catch (DamagedBackupException e) {
            LOG.warn("the volume's document stays as it is: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private void write(VolumeConfig config) throws IOException {
        objects.write(StoreLayout.volumeConfig(volume), ConfigJson.document(config));
    }

    /** Takes the list of blocks, and deletes those that nobody refers to, many at once. */
    private final class Sweep implements ObjectStore.EntrySink {
        private final StoreLock lock;
        private final ChecksumSet referenced;
        private final List<String> unused = new ArrayList<>();
        private long unusedBytes;
        private long blocks;
        private long bytes;

        Sweep(StoreLock lock, ChecksumSet referenced) {
            this.lock = lock;
            this.referenced = referenced;
        }

        @Override
        public void entry(ObjectStore.Entry entry) throws IOException {
            String name = entry.key().substring(entry.key().lastIndexOf('/') + 1);
            Optional<String> checksum = StoreLayout.checksumOf(name);
            if (checksum.isPresent() && !referenced.contains(checksum.get())) {
                unused.add(entry.key());
                unusedBytes += entry.sizeBytes();
                if (unused.size() == DELETED_AT_ONCE) {
                    flush();
                }
            }
        }

        void flush() throws IOException {
            lock.keep();
            objects.delete(unused);
            blocks += unused.size();
            bytes += unusedBytes;
            unused.clear();
            unusedBytes = 0;
        }
    }
}
