package io.longhorn.backup;

import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lock on the backups of one volume, by Longhorn's protocol, so that it holds against Longhorn as well: {@code docs/format/backup-store.md}, section 6. Locks of one kind do not
 * exclude each other. A lock lives by being written again; whoever holds it asks {@link #keep} often, and before each step that must not meet the other kind.
 *
 * <p>One thread at a time.
 */
final class StoreLock implements AutoCloseable {

    /** Backups and restores may go on beside each other, deletions as well, but no one beside the other. */
    enum Kind {
        UNTYPED,
        BACKUP_OR_RESTORE,
        DELETION
    }

    /** What a lock's document says, and when it was written by the clock of whoever keeps it. */
    record Document(String name, int kind, boolean acquired, Instant modifiedAt) {
        /** Who was first: those acquired, by time. */
        static final Comparator<Document> ORDER = Comparator.comparing(Document::acquired)
                .reversed()
                .thenComparing(Document::modifiedAt)
                .thenComparing(Document::name);
    }

    /** Long enough for a lock written at the same moment to be seen. */
    static final Duration SETTLING = Duration.ofSeconds(2);

    /** Listings that show later what was written are waited for so long. */
    static final Duration LISTING_LAG_MAX = Duration.ofSeconds(30);

    static final Duration REFRESH = Duration.ofSeconds(60);
    static final Duration EXPIRY = Duration.ofSeconds(150);

    private static final Logger LOG = LoggerFactory.getLogger(StoreLock.class);
    private static final int DOCUMENT_BYTES_MAX = 1 << 16;

    private final ObjectStore objects;
    private final String volume;
    private final Kind kind;
    private final StoreTime time;
    private final String name =
            "lock-" + UUID.randomUUID().toString().replace("-", "").substring(0, 16);
    private long writtenNanos;
    private boolean acquired;
    private boolean released;

    private StoreLock(ObjectStore objects, String volume, Kind kind, StoreTime time) {
        this.objects = objects;
        this.volume = volume;
        this.kind = kind;
        this.time = time;
    }

    /**
     * Tries once, which takes two seconds, or until the target's listing shows the lock.
     *
     * @throws IOException if the listing does not show it in half a minute
     * @throws BackupTargetBusyException if a lock of another kind was first
     * @throws InterruptedException if interrupted; nothing is left
     */
    static StoreLock acquire(ObjectStore objects, String volume, Kind kind, StoreTime time)
            throws IOException, InterruptedException {
        StoreLock lock = announce(objects, volume, kind, time);
        try {
            do {
                time.sleep(SETTLING);
            } while (!lock.settle());
            return lock;
        } catch (IOException | InterruptedException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Begins to acquire it, without waiting: {@link #settle} does the rest. Those of the other kind that come later give up already. */
    static StoreLock announce(ObjectStore objects, String volume, Kind kind, StoreTime time) throws IOException {
        StoreLock lock = new StoreLock(objects, volume, kind, time);
        try {
            lock.write(false);
            return lock;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /**
     * Acquires it, if it was announced two seconds ago and the target's listing shows it. Whoever waits for that sees all that were announced before, however late listings are.
     *
     * @return whether it is acquired
     * @throws IOException if the listing does not show it in half a minute
     * @throws BackupTargetBusyException if a lock of another kind was first
     */
    boolean settle() throws IOException {
        Duration age = Duration.ofNanos(time.nanoTime() - writtenNanos);
        if (!acquired && age.compareTo(SETTLING) >= 0 && isFirst(age)) {
            write(true);
            acquired = true;
        }
        return acquired;
    }

    private void write(boolean isAcquired) throws IOException {
        long before = time.nanoTime();
        objects.write(StoreLayout.lock(volume, name), ConfigJson.lockDocument(name, kind.ordinal(), isAcquired));
        writtenNanos = before;
    }

    /** Whether it is the first of those that count; false if the listing does not show it yet. */
    private boolean isFirst(Duration age) throws IOException {
        List<Document> locks = locks();
        if (locks.stream().noneMatch(lock -> lock.name().equals(name))
                && objects.find(StoreLayout.lock(volume, name)).isPresent()) {
            if (age.compareTo(LISTING_LAG_MAX) < 0) {
                return false;
            }
            throw new IOException("the lock " + name + " was written " + age.toSeconds()
                    + " s ago and is in no listing of " + StoreLayout.locks(volume)
                    + " yet; try again when listings of this target are up to date");
        }
        Document own = own(locks);
        Instant now = now(locks);
        for (Document lock : locks) {
            boolean counts = lock.kind() != kind.ordinal() && !isExpired(lock, now);
            if (counts && Document.ORDER.compare(lock, own) < 0) {
                throw new BackupTargetBusyException(objects.describe(), volume, lock.name());
            }
        }
        return true;
    }

    private List<Document> locks() throws IOException {
        List<Document> locks = new ArrayList<>();
        for (String file : objects.names(StoreLayout.locks(volume))) {
            if (file.endsWith(StoreLayout.LOCK_SUFFIX)) {
                document(StoreLayout.locks(volume) + "/" + file).ifPresent(locks::add);
            }
        }
        return locks;
    }

    /** Empty if it was released meanwhile. One that cannot be understood stands in everybody's way until it expires. */
    private Optional<Document> document(String key) throws IOException {
        Optional<ObjectStore.Entry> entry = objects.find(key);
        Optional<ByteBuffer> content = objects.read(key, DOCUMENT_BYTES_MAX);
        if (entry.isEmpty() || content.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(ConfigJson.lock(content.get(), entry.get().modifiedAt()));
        } catch (IOException e) {
            LOG.warn("a lock cannot be understood: key={} cause={}", key, e.getMessage());
            String file = key.substring(key.lastIndexOf('/') + 1);
            return Optional.of(new Document(
                    file.substring(0, file.length() - StoreLayout.LOCK_SUFFIX.length()),
                    -1,
                    true,
                    entry.get().modifiedAt()));
        }
    }

    /** Whether nobody else has a lock of this kind, or is about to. */
    boolean isOnlyOne() throws IOException {
        List<Document> locks = locks();
        Instant now = now(locks);
        return locks.stream()
                .noneMatch(lock -> lock.kind() == kind.ordinal() && !lock.name().equals(name) && !isExpired(lock, now));
    }

    /** By the clock that stamped the locks: that of whoever keeps the objects, not ours. */
    private Instant now(List<Document> locks) throws IOException {
        return own(locks).modifiedAt().plusNanos(time.nanoTime() - writtenNanos);
    }

    private Document own(List<Document> locks) throws IOException {
        return locks.stream()
                .filter(lock -> lock.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IOException("the lock " + name + " is not there any more"));
    }

    private static boolean isExpired(Document lock, Instant now) {
        return Duration.between(lock.modifiedAt(), now).compareTo(EXPIRY) > 0;
    }

    /**
     * Makes sure that the lock holds for a while yet; writes it again when it is due.
     *
     * @throws BackupTargetException if it may have expired, so that others may have done anything since
     */
    void keep() {
        Duration age = Duration.ofNanos(time.nanoTime() - writtenNanos);
        if (released || age.compareTo(EXPIRY) >= 0) {
            throw lost(null);
        }
        if (age.compareTo(REFRESH) >= 0) {
            try {
                write(true);
            } catch (IOException e) {
                if (age.plus(REFRESH).compareTo(EXPIRY) >= 0) {
                    throw lost(e);
                }
                LOG.warn("a lock cannot be written again: volume={} lock={} cause={}", volume, name, e.toString());
            }
        }
    }

    private BackupTargetException lost(@Nullable IOException cause) {
        BackupTargetException lost = new BackupTargetException(
                objects.describe(), "the lock " + name + " on the backups of volume " + volume + " was lost");
        if (cause != null) {
            lost.initCause(cause);
        }
        return lost;
    }

    String name() {
        return name;
    }

    /** Releases it. If that fails it expires by itself. */
    @Override
    public void close() {
        if (released) {
            return;
        }
        released = true;
        try {
            objects.delete(List.of(StoreLayout.lock(volume, name)));
        } catch (IOException e) {
            LOG.warn("a lock stays until it expires: volume={} lock={} cause={}", volume, name, e.toString());
        }
    }
}
