package io.longhorn.app;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.OpenMode;
import io.longhorn.Snapshot;
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

/**
 * Backs a volume up for {@code longhorn backup create}: a snapshot that is named, or one that is taken now. Of those that were taken so only the newest is kept, as the base of the
 * next backup.
 */
final class BackupCreation {
    private static final Map<String, String> TAKEN_HERE = Map.of("taken-by", "longhorn backup create");
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern(
                    "'backup-'yyyyMMdd-HHmmss-SSS", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final long LOOK_MILLIS = 500;

    private final Longhorn longhorn;
    private final BackupTarget target;
    private final BackupSpec spec;
    private final Console console;

    BackupCreation(Longhorn longhorn, BackupTarget target, BackupSpec spec, Console console) {
        this.longhorn = longhorn;
        this.target = target;
        this.spec = spec;
        this.console = console;
    }

    /** @param takeOver whether the volume is taken over from a program that may have it open */
    Backup run(String volumeName, Optional<String> snapshotName, boolean takeOver) throws InterruptedException {
        if (!takeOver && longhorn.isInUse(volumeName)) {
            throw new CommandFailure(
                    "volume " + volumeName + " is open in another program, which would lose it; back it"
                            + " up there, close it first, or take it over with --take-over");
        }
        OpenMode mode = snapshotName.isPresent() ? OpenMode.READ_ONLY : OpenMode.READ_WRITE;
        try (Volume volume = longhorn.open(volumeName, mode)) {
            if (snapshotName.isPresent()) {
                return backUp(volume.findSnapshot(snapshotName.get())
                        .orElseThrow(() -> new CommandFailure("volume " + volumeName + " has no snapshot "
                                + snapshotName.get() + "; it has "
                                + volume.snapshots().stream()
                                        .map(Snapshot::name)
                                        .toList())));
            }
            Snapshot snapshot = volume.snapshot(SnapshotSpec.named(NAME.format(Instant.now()))
                    .labels(TAKEN_HERE)
                    .build());
            Backup backup = backUp(snapshot);
            deleteOlder(volume, snapshot);
            return backup;
        }
    }

    private Backup backUp(Snapshot snapshot) throws InterruptedException {
        BackupOperation operation = snapshot.startBackup(target, spec);
        CountDownLatch end = new CountDownLatch(1);
        operation.completion().whenComplete((backup, failure) -> end.countDown());
        long told = -10;
        do {
            BackupOperation.Progress progress = operation.progress();
            long percent = progress.totalBytes() == 0 ? 0 : 100 * progress.doneBytes() / progress.totalBytes();
            if (percent / 10 != told / 10) {
                told = percent;
                console.remark("backed up: " + percent + " %, " + progress.sentBytes() + " bytes sent");
            }
        } while (!end.await(LOOK_MILLIS, TimeUnit.MILLISECONDS));
        return operation.await();
    }

    private static void deleteOlder(Volume volume, Snapshot kept) {
        List<Snapshot> snapshots = volume.snapshots();
        snapshots.stream()
                .filter(snapshot -> snapshot.labels().equals(TAKEN_HERE) && !snapshot.equals(kept))
                .forEach(Snapshot::delete);
    }
}
