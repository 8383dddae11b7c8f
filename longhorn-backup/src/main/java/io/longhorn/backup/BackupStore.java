package io.longhorn.backup;

import io.longhorn.Backup;
import io.longhorn.BackupInProgressException;
import io.longhorn.BackupKeyException;
import io.longhorn.BackupKeys;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A backup store in Longhorn's layout, whoever wrote it: its volumes, their backups, and the blocks. What is read is checked. Safe for any thread; every call may wait for the
 * target.
 *
 * <p>Every method throws {@link BackupTargetException} if the target does not do what it is asked.
 */
public final class BackupStore implements AutoCloseable {
    /** A million blocks take 110 MB. */
    private static final int DOCUMENT_BYTES_MAX = 1 << 30;

    private final ObjectStore objects;
    private final Naming naming;
    private final StoreTime time;

    private BackupStore(ObjectStore objects, Naming naming, StoreTime time) {
        this.objects = objects;
        this.naming = naming;
        this.time = time;
    }

    /** Calls blocks after what they hold. */
    private interface Naming {
        String nameOf(ByteBuffer block) throws IOException;
    }

    /**
     * The store at a target, by whichever {@link ObjectStoreProvider} handles its kind. A target without a store is an empty one. Whether the target's keys are those of the store is
     * found out when it is used first, by a {@link BackupKeyException}.
     *
     * @throws BackupTargetException if nobody handles targets of this kind, or the URI or the credentials are not what they should be
     */
    public static BackupStore open(BackupTarget target) {
        return on(ObjectStores.open(target), target, StoreTime.SYSTEM);
    }

    /** The store that these objects are, which is not encrypted; closed with it. */
    public static BackupStore on(ObjectStore objects) {
        return on(objects, StoreTime.SYSTEM);
    }

    static BackupStore on(ObjectStore objects, StoreTime time) {
        return new BackupStore(new PlainStore(objects), BlockChecksum::of, time);
    }

    /** With the target's keys, if it has any. */
    static BackupStore on(ObjectStore objects, BackupTarget target, StoreTime time) {
        return target.keys().map(keys -> encrypted(objects, keys, time)).orElseGet(() -> on(objects, time));
    }

    private static BackupStore encrypted(ObjectStore objects, BackupKeys keys, StoreTime time) {
        SecureRandom random = new SecureRandom();
        EncryptedStore sealed = new EncryptedStore(objects, new StoreEncryption(objects, keys, time, random), random);
        return new BackupStore(sealed, sealed::nameOf, time);
    }

    /** Does something at the target. */
    private interface Access<T> {
        T run() throws IOException;
    }

    private <T> T at(Access<T> access) {
        try {
            return access.run();
        } catch (IOException e) {
            throw new BackupTargetException(objects.describe(), String.valueOf(e.getMessage()), e);
        }
    }

    /** An object's bytes; one that is not what was written is damage, not a failure of the target. */
    private Optional<ByteBuffer> read(String volume, String backup, String key, int bytesMax) {
        return at(() -> {
            try {
                return objects.read(key, bytesMax);
            } catch (DamagedObjectException e) {
                throw damaged(volume, backup, key, e);
            }
        });
    }

    /** Names of all volumes that have, or had, backups here, in order; also of those whose document is missing. */
    public List<String> volumes() {
        List<String> volumes = new ArrayList<>();
        for (String first : folders(StoreLayout.VOLUMES)) {
            for (String second : folders(StoreLayout.VOLUMES + "/" + first)) {
                for (String name : folders(StoreLayout.VOLUMES + "/" + first + "/" + second)) {
                    String folder = StoreLayout.VOLUMES + "/" + first + "/" + second + "/" + name;
                    if (StoreLayout.isName(name) && folder.equals(StoreLayout.volume(name)) && isVolume(folder)) {
                        volumes.add(name);
                    }
                }
            }
        }
        volumes.sort(null);
        return volumes;
    }

    /** What is left of a deleted volume may be a folder of locks. */
    private boolean isVolume(String folder) {
        List<String> names = at(() -> objects.names(folder));
        return names.contains("volume.cfg") || names.contains("backups/");
    }

    private List<String> folders(String folder) {
        return at(() -> objects.names(folder)).stream()
                .filter(name -> name.endsWith("/"))
                .map(name -> name.substring(0, name.length() - 1))
                .toList();
    }

    /**
     * A volume's document; empty if there is no such volume.
     *
     * @throws DamagedBackupException if it cannot be understood
     */
    public Optional<VolumeConfig> volume(String volume) {
        String key = StoreLayout.volumeConfig(StoreLayout.checkName("volume", volume));
        Optional<ByteBuffer> document = read(volume, "", key, DOCUMENT_BYTES_MAX);
        if (document.isEmpty()) {
            return Optional.empty();
        }
        try {
            VolumeConfig config = ConfigJson.volume(document.get());
            if (!config.name().equals(volume)) {
                throw new IOException("it is about volume " + config.name());
            }
            return Optional.of(config);
        } catch (IOException e) {
            throw damaged(volume, "", key, e);
        }
    }

    /** Names of the volume's backups, those in progress and those that cannot be read among them, in order. */
    public List<String> backups(String volume) {
        String folder = StoreLayout.backups(StoreLayout.checkName("volume", volume));
        return at(() -> objects.names(folder)).stream()
                .flatMap(name -> StoreLayout.backupOf(name).stream())
                .sorted()
                .toList();
    }

    /**
     * A backup's document, also that of one in progress.
     *
     * @throws BackupNotFoundException if there is none
     * @throws DamagedBackupException if it cannot be understood
     */
    public BackupConfig backup(String volume, String backup) {
        String key = StoreLayout.backupConfig(
                StoreLayout.checkName("volume", volume), StoreLayout.checkName("backup", backup));
        ByteBuffer document = read(volume, backup, key, DOCUMENT_BYTES_MAX)
                .orElseThrow(() -> new BackupNotFoundException(objects.describe(), volume, backup));
        try {
            return checked(ConfigJson.backup(document), volume, backup);
        } catch (IOException e) {
            throw damaged(volume, backup, key, e);
        }
    }

    /** A block outside its backup's grid would be restored to a wrong place without a word. */
    private static BackupConfig checked(BackupConfig config, String volume, String backup) throws IOException {
        if (!config.name().equals(backup) || !config.volumeName().equals(volume)) {
            throw new IOException("it is about backup " + config.name() + " of volume " + config.volumeName());
        }
        int blockBytes;
        try {
            blockBytes = config.blockBytes();
        } catch (IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
        BlockList blocks = config.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (blocks.offsetBytes(i) % blockBytes != 0) {
                throw new IOException("the offsets of its blocks are multiples of " + blockBytes + ", but one is "
                        + blocks.offsetBytes(i));
            }
        }
        if (Compression.of(config.compression()).isEmpty()) {
            throw new IOException("its compression is none, lz4 or gzip, was '" + config.compression() + "'");
        }
        return config;
    }

    /**
     * As {@link #backup}, of a backup that is complete.
     *
     * @throws BackupInProgressException if it is not
     */
    public BackupConfig completeBackup(String volume, String backup) {
        BackupConfig config = backup(volume, backup);
        if (config.isInProgress()) {
            throw new BackupInProgressException(objects.describe(), volume, backup);
        }
        return config;
    }

    /**
     * The bytes of a block, whose checksum was found right; the buffer is the caller's.
     *
     * @throws DamagedBackupException if it is missing or has other bytes
     */
    public ByteBuffer block(BackupConfig backup, BlockReference reference) {
        Compression compression = Compression.of(backup.compression())
                .orElseThrow(() -> new IllegalArgumentException("compression " + backup.compression()));
        return block(backup.volumeName(), backup.name(), compression, backup.blockBytes(), reference);
    }

    /** The same for a block of that volume, whoever refers to it. */
    ByteBuffer block(String volume, String backup, Compression compression, int blockBytes, BlockReference reference) {
        String key = StoreLayout.block(volume, reference.checksum());
        // What does not shrink may grow by a little.
        Optional<ByteBuffer> stored = read(volume, backup, key, 2 * blockBytes);
        try {
            if (stored.isEmpty()) {
                throw new IOException("it is missing; the block at " + reference.offsetBytes() + " needs it");
            }
            ByteBuffer block = compression.decompress(stored.get(), blockBytes);
            String found = checksum(block);
            if (!found.equals(reference.checksum())) {
                throw new IOException("its bytes have the checksum " + found + "; the block at "
                        + reference.offsetBytes() + " needs it");
            }
            return block;
        } catch (IOException e) {
            throw damaged(volume, backup, key, e);
        }
    }

    /** What a block with these remaining bytes is called in this store; the buffer stays as it is. */
    String checksum(ByteBuffer block) {
        return at(() -> naming.nameOf(block));
    }

    ObjectStore objects() {
        return objects;
    }

    StoreTime time() {
        return time;
    }

    /** What callers of {@link io.longhorn.Longhorn} see of a complete backup. */
    Backup backup(BackupTarget target, BackupConfig config, long volumeBytes) {
        return new Backup(
                target,
                config.volumeName(),
                config.name(),
                config.snapshotName(),
                volumeBytes,
                config.sizeBytes(),
                config.newlyUploadedBytes(),
                instant(config.createdTime()),
                BackupLabels.without(config.labels()));
    }

    private static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return Instant.EPOCH;
        }
    }

    /** The exact size of the volume when it was backed up, if the backup says it; else its present size, or more if the backup reaches further. */
    long volumeBytes(BackupConfig config) {
        List<BlockReference> blocks = config.blocks();
        long last = blocks.isEmpty() ? 0 : blocks.get(blocks.size() - 1).offsetBytes();
        long end = blocks.isEmpty() ? 0 : last + config.blockBytes();
        OptionalLong exact = BackupLabels.volumeSize(config);
        if (exact.isPresent() && exact.getAsLong() > last) {
            return exact.getAsLong();
        }
        long now = volume(config.volumeName()).map(VolumeConfig::sizeBytes).orElse(0L);
        return Math.max(now, end);
    }

    /**
     * Deletes a backup, and the blocks that no other backup of the volume refers to; the document of a backup that cannot be read too. Takes two seconds at least. Where another
     * backup is in progress or cannot be read, blocks stay until a later deletion.
     *
     * @return bytes that block files took that are gone now
     * @throws BackupNotFoundException if there is no such backup
     * @throws BackupTargetBusyException if somebody backs the volume up, or restores it, at the moment
     */
    public long delete(String volume, String backup) throws InterruptedException {
        StoreLayout.checkName("volume", volume);
        StoreLayout.checkName("backup", backup);
        try {
            return new BackupDeletion(this, objects, volume, backup, time).run().bytes();
        } catch (IOException e) {
            throw new BackupTargetException(objects.describe(), String.valueOf(e.getMessage()), e);
        }
    }

    private DamagedBackupException damaged(String volume, String backup, String key, IOException cause) {
        DamagedBackupException damaged =
                new DamagedBackupException(objects.describe(), volume, backup, key, String.valueOf(cause.getMessage()));
        damaged.initCause(cause);
        return damaged;
    }

    /** Where the store is, for messages; without secrets. */
    public String describe() {
        return objects.describe();
    }

    @Override
    public void close() {
        objects.close();
    }
}
