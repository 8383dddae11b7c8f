package io.longhorn.backup;

import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.DamagedBlockException;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.HeldSnapshot;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.Volume;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes damaged blocks of a store again, from a volume that still has what they held: now, or in one of its snapshots, where a backup has the block. A block is taken by its
 * checksum alone, so it need not be the volume that was backed up. What turns out to be right, or needed by nobody any more, is left as it is. Used once.
 */
public final class BackupRepair {
    private static final Logger LOG = LoggerFactory.getLogger(BackupRepair.class);

    /**
     * A block that is right again.
     *
     * @param source where it was found
     */
    public record Repaired(BackupVerification.Damage damage, String source) {
        @Override
        public String toString() {
            return damage.key() + ": written again from " + source;
        }
    }

    private final BackupStore store;
    private final Volume volume;
    private final List<Repaired> repaired = new ArrayList<>();
    private final List<BackupVerification.Damage> left = new ArrayList<>();

    /** @param volume stays the caller's, and may be in use */
    public BackupRepair(BackupStore store, Volume volume) {
        this.store = store;
        this.volume = volume;
    }

    /**
     * Repairs what can be. Takes two seconds at least for each volume of the store that has damaged blocks.
     *
     * @param damages that a verification found
     * @throws BackupTargetBusyException if somebody deletes a backup of the same volume at the moment
     * @throws BackupTargetException if the target cannot be written
     */
    public BackupRepair run(List<BackupVerification.Damage> damages) throws InterruptedException {
        Map<String, Map<String, BackupVerification.Damage>> blocks = new LinkedHashMap<>();
        for (BackupVerification.Damage damage : damages) {
            String file = damage.key().substring(damage.key().lastIndexOf('/') + 1);
            Optional<String> checksum = StoreLayout.checksumOf(file);
            if (checksum.isPresent()) {
                blocks.computeIfAbsent(damage.volume(), key -> new LinkedHashMap<>())
                        .put(checksum.get(), damage);
            } else {
                left.add(because(damage, "only blocks can be repaired"));
            }
        }
        try {
            for (Map.Entry<String, Map<String, BackupVerification.Damage>> each : blocks.entrySet()) {
                repair(each.getKey(), each.getValue());
            }
        } catch (IOException e) {
            throw new BackupTargetException(store.describe(), String.valueOf(e.getMessage()), e);
        }
        return this;
    }

    private static BackupVerification.Damage because(BackupVerification.Damage damage, String reason) {
        return new BackupVerification.Damage(
                damage.volume(), damage.key(), damage.reason() + "; " + reason, damage.backups());
    }

    private void repair(String of, Map<String, BackupVerification.Damage> damages)
            throws IOException, InterruptedException {
        try (StoreLock lock = StoreLock.acquire(store.objects(), of, StoreLock.Kind.BACKUP_OR_RESTORE, store.time())) {
            List<Wanted> wanted = wanted(of, damages, lock);
            tryAll(now(), wanted, lock);
            List<Snapshot> snapshots = new ArrayList<>(volume.snapshots());
            for (int i = snapshots.size() - 1; i >= 0 && !wanted.isEmpty(); i--) {
                try (HeldSnapshot held = snapshots.get(i).hold()) {
                    tryAll(of(held), wanted, lock);
                } catch (SnapshotNotFoundException e) {
                    LOG.info("not looked into, deleted meanwhile: volume={} snapshot={}", volume.name(), e.snapshot());
                }
            }
            for (Wanted missing : wanted) {
                left.add(because(
                        missing.damage, "neither volume " + volume.name() + " nor its snapshots have it in its place"));
            }
        }
    }

    /** Those of them that a backup needs and that are still wrong. */
    private List<Wanted> wanted(String of, Map<String, BackupVerification.Damage> damages, StoreLock lock) {
        Map<String, BlockUsers> users = BlockUsers.of(store, of, damages.keySet(), lock::keep);
        List<Wanted> wanted = new ArrayList<>();
        damages.forEach((checksum, damage) -> {
            BlockUsers its = users.get(checksum);
            if (its != null) {
                lock.keep();
                Wanted block = new Wanted(of, checksum, damage, List.copyOf(its.places()));
                if (!block.isRight()) {
                    wanted.add(block);
                }
            }
        });
        return wanted;
    }

    private void tryAll(Source source, List<Wanted> wanted, StoreLock lock) throws IOException {
        List<Wanted> missing = new ArrayList<>();
        for (Wanted block : wanted) {
            Optional<ByteBuffer> found = block.in(source, lock);
            if (found.isEmpty()) {
                missing.add(block);
                continue;
            }
            lock.keep();
            block.write(found.get());
            if (block.isRight()) {
                LOG.info("a block is written again: {} from {}", block.damage.key(), source.name());
                repaired.add(new Repaired(block.damage, source.name()));
            } else {
                left.add(because(block.damage, "it was written again, and is not right all the same"));
            }
        }
        wanted.clear();
        wanted.addAll(missing);
    }

    // ------------------------------------------------------------------ where blocks are looked for

    /** Content of the volume, now or at a time. */
    private interface Source {
        String name();

        long sizeBytes();

        List<Extent> allocation(long offsetBytes, long lengthBytes);

        void read(long offsetBytes, ByteBuffer destination);
    }

    private Source now() {
        return new Source() {
            @Override
            public String name() {
                return "volume " + volume.name();
            }

            @Override
            public long sizeBytes() {
                return volume.sizeBytes();
            }

            @Override
            public List<Extent> allocation(long offsetBytes, long lengthBytes) {
                return volume.allocation(offsetBytes, lengthBytes);
            }

            @Override
            public void read(long offsetBytes, ByteBuffer destination) {
                volume.read(offsetBytes, destination);
            }
        };
    }

    private static Source of(Snapshot snapshot) {
        return new Source() {
            @Override
            public String name() {
                return "snapshot " + snapshot.name() + " of volume "
                        + snapshot.volume().name();
            }

            @Override
            public long sizeBytes() {
                return snapshot.sizeBytes();
            }

            @Override
            public List<Extent> allocation(long offsetBytes, long lengthBytes) {
                return snapshot.allocation(offsetBytes, lengthBytes);
            }

            @Override
            public void read(long offsetBytes, ByteBuffer destination) {
                snapshot.read(offsetBytes, destination);
            }
        };
    }

    /** A damaged block that somebody needs. */
    private final class Wanted {
        private final String of;
        private final String checksum;
        private final BackupVerification.Damage damage;
        private final List<BlockUsers.Place> places;

        Wanted(String of, String checksum, BackupVerification.Damage damage, List<BlockUsers.Place> places) {
            this.of = of;
            this.checksum = checksum;
            this.damage = damage;
            this.places = places;
        }

        private BlockUsers.Place first() {
            return places.get(0);
        }

        boolean isRight() {
            try {
                ByteBuffer unused = store.block(
                        of,
                        "",
                        first().compression(),
                        first().blockBytes(),
                        new BlockReference(first().offsetBytes(), checksum));
                return true;
            } catch (DamagedBackupException e) {
                return false;
            } catch (BackupTargetException e) {
                LOG.info("a block that cannot be read counts as damaged: {}", e.getMessage());
                return false;
            }
        }

        /** The block, if the source has it where a backup does. */
        Optional<ByteBuffer> in(Source source, StoreLock lock) {
            for (BlockUsers.Place place : places) {
                lock.keep();
                try {
                    if (holdsData(source, place)) {
                        ByteBuffer block = read(source, place);
                        if (store.checksum(block).equals(checksum)) {
                            return Optional.of(block);
                        }
                    }
                } catch (DamagedBlockException | DamagedBackupException e) {
                    LOG.info("the volume's own block is damaged: {}", e.getMessage());
                }
            }
            return Optional.empty();
        }

        void write(ByteBuffer block) throws IOException {
            store.objects()
                    .write(
                            StoreLayout.block(of, checksum),
                            first().compression().compress(block));
        }
    }

    private static int lengthIn(Source source, BlockUsers.Place place) {
        return (int) Math.max(0, Math.min(place.blockBytes(), source.sizeBytes() - place.offsetBytes()));
    }

    private static boolean holdsData(Source source, BlockUsers.Place place) {
        int length = lengthIn(source, place);
        return length > 0
                && source.allocation(place.offsetBytes(), length).stream()
                        .anyMatch(extent -> extent.state() == ExtentState.DATA);
    }

    /** What is behind the end is zeroes. */
    private static ByteBuffer read(Source source, BlockUsers.Place place) {
        ByteBuffer block = ByteBuffer.allocate(place.blockBytes());
        source.read(place.offsetBytes(), block.limit(lengthIn(source, place)));
        return block.clear();
    }

    // ------------------------------------------------------------------ what was done

    /** Blocks that were written again, and read back. */
    public List<Repaired> repaired() {
        return List.copyOf(repaired);
    }

    /** What is still damaged; the reason says why. */
    public List<BackupVerification.Damage> left() {
        return List.copyOf(left);
    }
}
