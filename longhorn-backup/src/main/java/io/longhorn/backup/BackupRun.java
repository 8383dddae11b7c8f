package io.longhorn.backup;

import io.longhorn.Backup;
import io.longhorn.BackupExistsException;
import io.longhorn.BackupMode;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.DamagedBackupException;
import io.longhorn.HeldSnapshot;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotNotFoundException;
import java.io.IOException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a backup, in the order that makes a crash harmless anywhere: lock, the volume's document if it has none, the stub that says that a backup is in progress, blocks, the
 * backup's document in place of the stub, the volume's document. Used once, one thread, which an interrupt ends.
 */
final class BackupRun {
    private static final Logger LOG = LoggerFactory.getLogger(BackupRun.class);
    /** A stub has a few hundred bytes, and a name of some length twice. */
    private static final int STUB_BYTES_MAX = 1 << 12;
    /** So many backups are looked at in search of one whose snapshot is still there; their documents may be large. */
    private static final int BASES_MAX = 64;

    private final BackupStore store;
    private final ObjectStore objects;
    private final StoreTime time;
    private final BackupTarget target;
    private final Snapshot snapshot;
    private final String volume;
    private final BackupSpec spec;
    private final String name;
    private final Throttle throttle;
    private final BackupProgress progress;

    BackupRun(
            BackupStore store,
            BackupTarget target,
            Snapshot snapshot,
            BackupSpec spec,
            String name,
            Throttle throttle,
            BackupProgress progress) {
        this.store = store;
        this.objects = store.objects();
        this.time = store.time();
        this.target = target;
        this.snapshot = snapshot;
        this.volume = snapshot.volume().name();
        this.spec = spec;
        this.name = name;
        this.throttle = throttle;
        this.progress = progress;
    }

    Backup run() throws Exception {
        String askedAt = now();
        try (HeldSnapshot held = snapshot.hold();
                StoreLock lock = StoreLock.acquire(objects, volume, StoreLock.Kind.BACKUP_OR_RESTORE, time)) {
            if (objects.find(StoreLayout.backupConfig(volume, name)).isPresent()) {
                throw new BackupExistsException(objects.describe(), volume, name);
            }
            List<Listed> listed = listed();
            removeDeadStubs(listed, lock);
            VolumeConfig before = volumeConfig();
            Compression compression = Compression.of(before.compression())
                    .orElseThrow(() -> new DamagedBackupException(
                            objects.describe(),
                            volume,
                            "",
                            StoreLayout.volumeConfig(volume),
                            "its compression is none, lz4 or gzip, was '" + before.compression() + "'"));
            BackupPlan plan = plan(held, listed, compression);
            write(stub(compression));
            BlockTransfer transfer = new BlockTransfer(store, held, plan, compression, spec, throttle, progress);
            BackupConfig made;
            try {
                BlockList blocks = transfer.run(lock::keep);
                lock.keep();
                made = document(plan, compression, transfer, blocks, askedAt);
                write(made);
                lock.keep();
            } catch (Exception e) {
                removeStub(e);
                throw e;
            }
            noteLast(made, transfer.newBlocks());
            LOG.info(
                    "backup complete: volume={} backup={} snapshot={} base={} blocks={} sentBytes={}",
                    volume,
                    name,
                    snapshot.name(),
                    plan.base().map(BackupConfig::name).orElse("none"),
                    made.blocks().size(),
                    progress.now().sentBytes());
            return store.backup(target, made, snapshot.sizeBytes());
        }
    }

    private String now() {
        return time.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private void write(BackupConfig config) throws IOException {
        objects.write(StoreLayout.backupConfig(volume, name), ConfigJson.document(config));
    }

    // ------------------------------------------------------------------ before

    /** A backup's document as a listing tells of it. */
    private record Listed(String backup, ObjectStore.Entry entry) {}

    /** The documents of the volume's backups, the newest first. */
    private List<Listed> listed() throws IOException {
        List<Listed> found = new ArrayList<>();
        objects.list(StoreLayout.backups(volume), entry -> {
            String file = entry.key().substring(entry.key().lastIndexOf('/') + 1);
            StoreLayout.backupOf(file).ifPresent(backup -> found.add(new Listed(backup, entry)));
        });
        found.sort(
                Comparator.comparing((Listed each) -> each.entry().modifiedAt()).reversed());
        return found;
    }

    /**
     * A stub whose maker is gone would keep deletions from giving space back for ever. Whoever makes a backup has a lock, and had it before the stub: if nobody else has one now,
     * nobody makes those that were there before we looked. Stubs are small: larger documents are not read.
     */
    private void removeDeadStubs(List<Listed> listed, StoreLock lock) throws IOException {
        List<String> stubs = new ArrayList<>();
        for (Listed each : listed) {
            if (each.entry().sizeBytes() <= STUB_BYTES_MAX && isStub(each.backup())) {
                stubs.add(each.entry().key());
            }
        }
        if (!stubs.isEmpty() && lock.isOnlyOne()) {
            LOG.info("what an ended backup left is removed: {}", stubs);
            objects.delete(stubs);
        }
    }

    private boolean isStub(String backup) {
        try {
            return store.backup(volume, backup).isInProgress();
        } catch (DamagedBackupException | BackupNotFoundException e) {
            LOG.debug("not taken for a stub: volume={} backup={}", volume, backup, e);
            return false;
        }
    }

    /** The volume's document; written if there is none. */
    private VolumeConfig volumeConfig() throws IOException {
        Optional<VolumeConfig> present = store.volume(volume);
        if (present.isPresent()) {
            return present.get();
        }
        VolumeConfig first = new VolumeConfig(
                volume,
                0,
                Map.of(),
                now(),
                "",
                "",
                0,
                "",
                "",
                Compression.of(spec.compression()).text(),
                "",
                "");
        objects.write(StoreLayout.volumeConfig(volume), ConfigJson.document(first));
        return first;
    }

    /** Against the newest backup of which the snapshot is still there. Mostly that is the first one that is read. */
    private BackupPlan plan(HeldSnapshot held, List<Listed> listed, Compression compression) {
        OptionalInt blockBytes = spec.blockBytes();
        List<Snapshot> snapshots = snapshot.volume().snapshots();
        for (Listed each : listed.subList(0, Math.min(listed.size(), BASES_MAX))) {
            Optional<BackupConfig> backup = complete(each.backup());
            if (backup.isEmpty()) {
                continue;
            }
            blockBytes = blockBytes.isPresent()
                    ? blockBytes
                    : OptionalInt.of(backup.get().blockBytes());
            if (spec.mode() == BackupMode.FULL) {
                break;
            }
            Optional<Snapshot> older = snapshots.stream()
                    .filter(candidate -> BackupLabels.isOf(backup.get(), candidate))
                    .findFirst();
            if (older.isPresent()
                    && backup.get().blockBytes() == blockBytes.getAsInt()
                    && Compression.of(backup.get().compression()).equals(Optional.of(compression))) {
                try {
                    return BackupPlan.since(held, older.get(), backup.get());
                } catch (SnapshotNotFoundException e) {
                    LOG.info("the base was deleted meanwhile: volume={} snapshot={}", volume, older.get(), e);
                }
            }
        }
        return BackupPlan.full(held, blockBytes.orElse(BackupConfig.BLOCK_BYTES_DEFAULT));
    }

    private Optional<BackupConfig> complete(String backup) {
        try {
            BackupConfig config = store.backup(volume, backup);
            return config.isInProgress() ? Optional.empty() : Optional.of(config);
        } catch (DamagedBackupException | BackupNotFoundException e) {
            LOG.warn("not taken for a base: {}", e.getMessage());
            return Optional.empty();
        }
    }

    // ------------------------------------------------------------------ documents

    private BackupConfig stub(Compression compression) {
        return new BackupConfig(
                name, volume, "", "", "", 0, Map.of(), Map.of(), false, compression.text(), 0, 0, List.of());
    }

    private BackupConfig document(
            BackupPlan plan, Compression compression, BlockTransfer transfer, BlockList blocks, String askedAt) {
        return new BackupConfig(
                name,
                volume,
                snapshot.name(),
                askedAt,
                now(),
                blocks.size() * (long) plan.blockBytes(),
                BackupLabels.with(spec.labels(), snapshot),
                Map.of(
                        BackupConfig.MODE,
                        spec.mode() == BackupMode.FULL ? "full" : "incremental",
                        BackupConfig.BLOCK_SIZE,
                        Integer.toString(plan.blockBytes())),
                plan.base().isPresent(),
                compression.text(),
                transfer.newBytes(),
                transfer.rewrittenBytes(),
                blocks);
    }

    /** It did not become a backup. Blocks stay; the next backup finds them. */
    private void removeStub(Exception failure) {
        // This thread ends here; an interrupt has done what it was for, and must not hinder.
        boolean unused = Thread.interrupted();
        try {
            objects.delete(List.of(StoreLayout.backupConfig(volume, name)));
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private void noteLast(BackupConfig made, long newBlocks) throws IOException {
        VolumeConfig now = volumeConfig();
        int blockBytes = made.blockBytes();
        long size = (snapshot.sizeBytes() + blockBytes - 1) / blockBytes * blockBytes;
        objects.write(
                StoreLayout.volumeConfig(volume),
                ConfigJson.document(now.withBackup(made, size, now.blockCount() + newBlocks)));
    }
}
