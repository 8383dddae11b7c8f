package io.longhorn;

import java.io.Serial;

/**
 * Something that a backup needs is missing at its target, or is not what it was. Nothing of the backup was given out as right. Other backups of the volume may refer to the same
 * piece.
 */
public final class DamagedBackupException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;
    private final String volume;
    private final String backup;
    private final String key;
    private final String reason;

    /**
     * @param backup empty if the damage concerns the volume as a whole
     * @param key of the damaged or missing object at the target
     * @param reason a sentence without a subject
     */
    public DamagedBackupException(String target, String volume, String backup, String key, String reason) {
        super(
                ErrorCode.BACKUP_DAMAGED,
                (backup.isEmpty() ? "" : "backup " + backup + " of ") + "volume " + volume + " at " + target
                        + " is damaged: " + key + ": " + reason);
        this.target = target;
        this.volume = volume;
        this.backup = backup;
        this.key = key;
        this.reason = reason;
    }

    /** Where it is, without credentials. */
    public String target() {
        return target;
    }

    public String volume() {
        return volume;
    }

    /** The backup that was asked for; empty if the damage concerns the volume as a whole. */
    public String backup() {
        return backup;
    }

    /** Which object is damaged or missing. */
    public String key() {
        return key;
    }

    /** What is wrong with it. */
    public String reason() {
        return reason;
    }
}
