package io.longhorn;

import java.io.Serial;

/** The target has no such backup, or has it no more. */
public final class BackupNotFoundException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;
    private final String volume;
    private final String backup;

    public BackupNotFoundException(String target, String volume, String backup) {
        super(ErrorCode.BACKUP_NOT_FOUND, "there is no backup " + backup + " of volume " + volume + " at " + target);
        this.target = target;
        this.volume = volume;
        this.backup = backup;
    }

    /** Where it was looked for. */
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
