package io.longhorn;

import java.io.Serial;

/** The backup was begun and not ended: it cannot be read yet, and never if whoever made it is gone. */
public final class BackupInProgressException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;
    private final String volume;
    private final String backup;

    public BackupInProgressException(String target, String volume, String backup) {
        super(
                ErrorCode.BACKUP_IN_PROGRESS,
                "backup " + backup + " of volume " + volume + " at " + target + " is still in progress");
        this.target = target;
        this.volume = volume;
        this.backup = backup;
    }

    /** Where it is, without credentials. */
    public String target() {
        return target;
    }

    public String volume() {
        return volume;
    }

    public String backup() {
        return backup;
    }
}
