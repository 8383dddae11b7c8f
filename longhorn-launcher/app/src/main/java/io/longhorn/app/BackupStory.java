package io.longhorn.app;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.backup.BackupStore;
import io.longhorn.backup.BackupVerification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The chapter of the demo that is about backups: to a folder, incrementally, and back into a second volume. */
final class BackupStory {
    private static final String COPY = "restored";

    private final Narrator narrator;
    private final Longhorn longhorn;
    private final Path directory;
    private final BackupTarget target;

    BackupStory(Narrator narrator, Longhorn longhorn, Path directory) {
        this.narrator = narrator;
        this.longhorn = longhorn;
        this.directory = directory;
        this.target = BackupTarget.at(directory.resolve("backups").toUri());
    }

    /** Returns the backup. */
    Backup backUp(Snapshot snapshot) throws InterruptedException {
        long begin = System.nanoTime();
        BackupOperation operation = snapshot.startBackup(target, BackupSpec.defaults());
        Backup backup = operation.await();
        BackupOperation.Progress progress = operation.progress();
        narrator.fact(
                "snapshot \"%s\" backed up in %.1f s: %.0f MB looked at, %.1f MB sent",
                snapshot.name(),
                Narrator.seconds(System.nanoTime() - begin),
                Narrator.megabytes(progress.totalBytes()),
                Narrator.megabytes(progress.sentBytes()));
        return backup;
    }

    /** Reads all of the target. */
    void verify() {
        try (BackupStore store = BackupStore.open(target)) {
            BackupVerification verification = new BackupVerification(store).all(ProgressListener.none());
            if (!verification.damages().isEmpty()) {
                throw new CommandFailure("the backups are damaged: " + verification.damages());
            }
            narrator.fact(
                    "%d backups and %,d blocks at the target verified: all right",
                    verification.backups(), verification.blocks());
        }
    }

    /** Restores into a second volume, and returns the SHA-256 of its content. */
    String restore(Backup backup) throws IOException {
        long begin = System.nanoTime();
        try (Volume copy = longhorn.restore(backup, VolumeSpec.named(COPY).build())) {
            narrator.fact(
                    "restored into a second volume in %.1f s, every block verified",
                    Narrator.seconds(System.nanoTime() - begin));
            Path export = directory.resolve("restored.ext4");
            copy.exportTo(export);
            String sha = FileSystemImage.sha256(export);
            Files.delete(export);
            return sha;
        } finally {
            longhorn.delete(COPY);
        }
    }
}
