package io.longhorn.backup;

import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a volume is filled from, as the registry keeps it: a sentence that people understand.
 *
 * @param isStandby whether it follows the backups of a volume; else it is restored once
 * @param target without credentials
 * @param volume of the backups
 * @param applied the backup that it holds, all of it; empty if none
 * @param appliedAt when that one was completed, as its document says; empty if none
 * @param next the backup that is being put in; empty if none
 */
record VolumeSource(
        boolean isStandby,
        URI target,
        String volume,
        Optional<String> applied,
        String appliedAt,
        Optional<String> next) {
    private static final Pattern RESTORE = Pattern.compile("backup (\\S+) of volume (\\S+) at (\\S+)");
    private static final Pattern STANDBY = Pattern.compile(
            "the backups of volume (\\S+) at (\\S+)(?:, holding (\\S+) of (\\S+))?(?:, taking (\\S+))?");

    static VolumeSource restore(URI target, String volume, String backup) {
        return new VolumeSource(false, target, volume, Optional.empty(), "", Optional.of(backup));
    }

    static VolumeSource standby(URI target, String volume) {
        return new VolumeSource(true, target, volume, Optional.empty(), "", Optional.empty());
    }

    VolumeSource taking(String backup) {
        return new VolumeSource(isStandby, target, volume, applied, appliedAt, Optional.of(backup));
    }

    VolumeSource holding(BackupConfig backup) {
        return new VolumeSource(
                isStandby, target, volume, Optional.of(backup.name()), backup.createdTime(), Optional.empty());
    }

    /** Whether both follow the same volume's backups. */
    boolean follows(VolumeSource other) {
        return isStandby && other.isStandby && target.equals(other.target) && volume.equals(other.volume);
    }

    /** What {@link #of} reads. */
    String text() {
        return isStandby
                ? "the backups of volume " + volume + " at " + target
                        + applied.map(backup -> ", holding " + backup + " of " + appliedAt)
                                .orElse("")
                        + next.map(backup -> ", taking " + backup).orElse("")
                : "backup " + next.orElseThrow() + " of volume " + volume + " at " + target;
    }

    /** Empty if it is somebody else's text. */
    static Optional<VolumeSource> of(String text) {
        Matcher restore = RESTORE.matcher(text);
        if (restore.matches()) {
            return Optional.of(restore(URI.create(restore.group(3)), restore.group(2), restore.group(1)));
        }
        Matcher standby = STANDBY.matcher(text);
        if (standby.matches()) {
            return Optional.of(new VolumeSource(
                    true,
                    URI.create(standby.group(2)),
                    standby.group(1),
                    Optional.ofNullable(standby.group(3)),
                    standby.group(4) == null ? "" : standby.group(4),
                    Optional.ofNullable(standby.group(5))));
        }
        return Optional.empty();
    }
}
