package io.longhorn;

import java.io.Serial;

/** Somebody else does something to the volume's backups that this may not meet, such as deleting one. Nothing was changed. */
public final class BackupTargetBusyException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;
    private final String volume;
    private final String lock;

    /** @param lock the name of the lock that stands in the way */
    public BackupTargetBusyException(String target, String volume, String lock) {
        super(
                ErrorCode.BACKUP_TARGET_BUSY,
                "the backups of volume " + volume + " at " + target + " are locked by " + lock
                        + "; a lock whose holder is gone ends by itself within minutes");
        this.target = target;
        this.volume = volume;
        this.lock = lock;
    }

    /** Where it is, without credentials. */
    public String target() {
        return target;
    }

    public String volume() {
        return volume;
    }

    /** The name of the lock that stands in the way. */
    public String lock() {
        return lock;
    }
}
