package io.longhorn.app;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.SnapshotSpec;
import io.longhorn.Volume;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Backs an open volume up for {@code longhorn backup create}: a snapshot that is named, or one that is taken now. Of those that were taken so only the newest is kept, as the base
 * of the next backup.
 */
public final class BackupCreation {
    private static final Map<String, String> TAKEN_HERE = Map.of("taken-by", "longhorn backup create");
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern(
                    "'backup-'yyyyMMdd-HHmmss-SSS", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final long LOOK_MILLIS = 500;

    private final BackupTarget target;
    private final BackupSpec spec;
    private final Consumer<BackupOperation.Progress> progress;

    /** @param progress told a few times a second, and may end the backup by throwing */
    public BackupCreation(BackupTarget target, BackupSpec spec, Consumer<BackupOperation.Progress> progress) {
        this.target = target;
        this.spec = spec;
        this.progress = progress;
    }

    /**
     * Blocks until the backup is complete; an interrupt cancels it.
     *
     * @param snapshotName empty for a new snapshot, for which the volume must be writable
     */
    public Backup run(Volume volume, Optional<String> snapshotName) throws InterruptedException {
        if (snapshotName.isPresent()) {
            return backUp(volume.findSnapshot(snapshotName.get())
                    .orElseThrow(() -> new SnapshotNotFoundException(volume.name(), snapshotName.get())));
        }
        Snapshot snapshot = volume.snapshot(SnapshotSpec.named(NAME.format(Instant.now()))
                .labels(TAKEN_HERE)
                .build());
        Backup backup = backUp(snapshot);
        deleteOlder(volume, snapshot);
        return backup;
    }

    private Backup backUp(Snapshot snapshot) throws InterruptedException {
        BackupOperation operation = snapshot.startBackup(target, spec);
        CountDownLatch end = new CountDownLatch(1);
        operation.completion().whenComplete((backup, failure) -> end.countDown());
        boolean ended = false;
        try {
            do {
                progress.accept(operation.progress());
                ended = end.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } while (!ended);
        } finally {
            if (!ended) {
                operation.cancel();
            }
        }
        return operation.await();
    }

    private static void deleteOlder(Volume volume, Snapshot kept) {
        List<Snapshot> snapshots = volume.snapshots();
        snapshots.stream()
                .filter(snapshot -> snapshot.labels().equals(TAKEN_HERE) && !snapshot.equals(kept))
                .forEach(Snapshot::delete);
    }
}
