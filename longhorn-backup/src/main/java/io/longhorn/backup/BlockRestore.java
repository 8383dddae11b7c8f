package io.longhorn.backup;

import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.Volume;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts blocks of one backup into a volume, each fetched, found right, and written. Safe for several threads, each with blocks of its own. */
final class BlockRestore {
    private static final Logger LOG = LoggerFactory.getLogger(BlockRestore.class);
    private static final int PAGE = Volume.BLOCK_BYTES;
    private static final int ATTEMPTS_MAX = 4;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);

    private final BackupStore store;
    private final BackupConfig backup;
    private final Volume volume;
    private final long sizeBytes;

    /** @param sizeBytes exact size of the volume that was backed up: what a block holds behind it is not part of the backup */
    BlockRestore(BackupStore store, BackupConfig backup, Volume volume, long sizeBytes) {
        this.store = store;
        this.backup = backup;
        this.volume = volume;
        this.sizeBytes = sizeBytes;
    }

    BackupConfig backup() {
        return backup;
    }

    private int lengthAt(long offset) {
        return (int) Math.min(backup.blockBytes(), pageEnd() - offset);
    }

    /** A volume consists of whole pages. */
    private long pageEnd() {
        return (sizeBytes + PAGE - 1) / PAGE * PAGE;
    }

    /**
     * Fills what the volume holds nothing of. What it holds was put there before, by a restore that was interrupted or by its users, who come after the backup.
     *
     * @return whether there was anything to fill
     */
    boolean fill(BlockReference reference) throws InterruptedException {
        long offset = reference.offsetBytes();
        List<Extent> extents = volume.allocation(offset, lengthAt(offset));
        if (extents.stream().noneMatch(extent -> extent.state() == ExtentState.ABSENT)) {
            return false;
        }
        ByteBuffer block = fetch(reference);
        for (Extent extent : extents) {
            if (extent.state() == ExtentState.ABSENT) {
                int from = (int) (extent.offsetBytes() - offset);
                write(block.slice(from, (int) extent.lengthBytes()), extent.offsetBytes(), false);
            }
        }
        return true;
    }

    /** Makes the volume hold the block, whatever was there. */
    void replace(BlockReference reference) throws InterruptedException {
        long offset = reference.offsetBytes();
        write(fetch(reference).slice(0, lengthAt(offset)), offset, true);
    }

    /** Makes the volume hold zeroes where the backup has no block. */
    void clear(long offset) {
        volume.writeZeroes(offset, lengthAt(offset));
    }

    /** Whether the volume holds that block already. */
    boolean holds(BlockReference reference) {
        ByteBuffer block = ByteBuffer.allocate(backup.blockBytes());
        block.limit(lengthAt(reference.offsetBytes()));
        volume.read(reference.offsetBytes(), block);
        return store.checksum(block.clear()).equals(reference.checksum());
    }

    /** Whether the volume holds anything but zeroes there. */
    boolean holdsData(long offset) {
        return volume.allocation(offset, lengthAt(offset)).stream()
                .anyMatch(extent -> extent.state() == ExtentState.DATA);
    }

    /** Runs of zeroes are not sent. */
    private void write(ByteBuffer block, long offset, boolean overwrites) {
        int at = 0;
        while (at < block.limit()) {
            boolean zero = Zeroes.isZero(block.slice(at, Math.min(PAGE, block.limit() - at)));
            int end = at + PAGE;
            while (end < block.limit()
                    && Zeroes.isZero(block.slice(end, Math.min(PAGE, block.limit() - end))) == zero) {
                end += PAGE;
            }
            end = Math.min(end, block.limit());
            if (!zero) {
                volume.write(offset + at, block.slice(at, end - at));
            } else if (overwrites) {
                volume.writeZeroes(offset + at, end - at);
            }
            at = end;
        }
    }

    /** Transient faults are tried again; wrong bytes are not. */
    private ByteBuffer fetch(BlockReference reference) throws InterruptedException {
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++) {
            try {
                return store.block(backup, reference);
            } catch (BackupTargetException e) {
                if (attempt == ATTEMPTS_MAX) {
                    throw e;
                }
                LOG.warn("a block is fetched again: {}", e.getMessage());
                store.time().sleep(pause);
                pause = pause.multipliedBy(2);
            } catch (DamagedBackupException e) {
                throw withOthers(e, reference);
            }
        }
    }

    /** Says which other backups need the block too. */
    private DamagedBackupException withOthers(DamagedBackupException damaged, BlockReference reference) {
        List<String> others = new ArrayList<>();
        for (String name : store.backups(backup.volumeName())) {
            try {
                if (!name.equals(backup.name())
                        && store.backup(backup.volumeName(), name).blocks().stream()
                                .anyMatch(block -> block.checksum().equals(reference.checksum()))) {
                    others.add(name);
                }
            } catch (DamagedBackupException | BackupNotFoundException e) {
                LOG.debug("not looked into", e);
            }
        }
        DamagedBackupException named = new DamagedBackupException(
                store.describe(),
                backup.volumeName(),
                backup.name(),
                damaged.key(),
                damaged.reason() + (others.isEmpty() ? "; no other backup" : "; so do " + String.join(", ", others)));
        named.initCause(damaged);
        return named;
    }
}
