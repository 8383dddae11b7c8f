package io.longhorn.backup;

import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.ProgressListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads backups whole, each block once however many refer to it, several at once, and tells what is damaged and whom it affects. Memory: 72 bytes for each block of a volume, and
 * what is damaged. Used once.
 *
 * <p>Changes nothing but that it holds a lock on the backups that it reads, so that nobody deletes them meanwhile. Where the lock cannot be had, at a target that may not be
 * written or while somebody deletes, it goes on without. What is deleted then is not told as damage, as long as its backup is: a block counts as damaged only if a backup still
 * needs it afterwards.
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

    private static final int WORKERS = 4;

    /** If so many blocks in a row cannot be read it is not they who are damaged. */
    private static final int UNREADABLE_MAX = 32;

    private final BackupStore store;
    private final List<Damage> damages = new ArrayList<>();
    private int backups;
    private int inProgress;
    private final AtomicLong blocks = new AtomicLong();
    private final AtomicLong doneBytes = new AtomicLong();
    private final AtomicInteger unreadableInRow = new AtomicInteger();
    private long totalBytes;

    public BackupVerification(BackupStore store) {
        this.store = store;
    }

    /**
     * Verifies every backup of every volume.
     *
     * @throws CancellationException if interrupted; the thread's flag is set
     */
    public BackupVerification all(ProgressListener progress) {
        for (String volume : store.volumes()) {
            volume(volume, store.backups(volume), progress);
        }
        progress.progress(doneBytes.get(), totalBytes);
        return this;
    }

    /**
     * Verifies one backup. Damage is told with all backups that it affects.
     *
     * @throws BackupNotFoundException if there is none
     * @throws CancellationException if interrupted; the thread's flag is set
     */
    public BackupVerification one(String volume, String backup, ProgressListener progress) {
        if (!store.backups(volume).contains(backup)) {
            throw new BackupNotFoundException(store.describe(), volume, backup);
        }
        volume(volume, List.of(backup), progress);
        progress.progress(doneBytes.get(), totalBytes);
        return this;
    }

    private void volume(String volume, List<String> names, ProgressListener progress) {
        try (OptionalLock lock = OptionalLock.announce(store, volume)) {
            verifyDocument(volume);
            NeededBlocks needed = new NeededBlocks();
            for (String name : names) {
                lock.keep();
                complete(volume, name).ifPresent(needed::add);
            }
            totalBytes += needed.bytes();
            Map<String, String> wrong = verify(volume, needed, () -> {
                lock.keep();
                progress.progress(doneBytes.get(), totalBytes);
            });
            if (!wrong.isEmpty()) {
                Map<String, BlockUsers> users = BlockUsers.of(store, volume, wrong.keySet(), lock::keep);
                wrong.keySet().retainAll(users.keySet());
                wrong.forEach((checksum, reason) -> damages.add(new Damage(
                        volume,
                        StoreLayout.block(volume, checksum),
                        reason,
                        Objects.requireNonNull(users.get(checksum)).backups())));
            }
        }
    }

    private void verifyDocument(String volume) {
        try {
            if (store.volume(volume).isEmpty()) {
                damages.add(new Damage(volume, StoreLayout.volumeConfig(volume), "it is missing", List.of()));
            }
        } catch (DamagedBackupException e) {
            damages.add(new Damage(volume, e.key(), e.reason(), List.of()));
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

    /** What is wrong with which block, by its checksum. */
    private Map<String, String> verify(String volume, NeededBlocks needed, Runnable watch) {
        Map<String, String> wrong = new ConcurrentSkipListMap<>();
        try {
            Workers.run(
                    "longhorn-verify-" + volume,
                    WORKERS,
                    () -> () -> {
                        NeededBlocks.Block block = needed.next();
                        if (block == null) {
                            return false;
                        }
                        reasonOf(volume, block)
                                .ifPresentOrElse(
                                        reason -> wrong.put(block.reference().checksum(), reason),
                                        blocks::incrementAndGet);
                        doneBytes.addAndGet(block.blockBytes());
                        return true;
                    },
                    watch);
        } catch (Exception e) {
            throw Failures.of(e, store.describe());
        }
        return wrong;
    }

    /** What is wrong with it; empty if it is right. */
    private Optional<String> reasonOf(String volume, NeededBlocks.Block block) {
        try {
            store.block(volume, block.backup(), block.compression(), block.blockBytes(), block.reference());
        } catch (DamagedBackupException e) {
            unreadableInRow.set(0);
            return Optional.of(e.reason());
        } catch (BackupTargetException e) {
            // One that cannot be read; the target as a whole may still be there.
            if (unreadableInRow.incrementAndGet() >= UNREADABLE_MAX) {
                throw e;
            }
            return Optional.of(e.reason());
        }
        unreadableInRow.set(0);
        return Optional.empty();
    }

    /** What was found, by volume. */
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
        return blocks.get();
    }
}
