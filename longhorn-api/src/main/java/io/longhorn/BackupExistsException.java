package io.longhorn;

import java.io.Serial;

/** The target has a backup of that name of the volume already; choose another name. */
public final class BackupExistsException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;
    private final String volume;
    private final String backup;

    public BackupExistsException(String target, String volume, String backup) {
        super(
                ErrorCode.BACKUP_EXISTS,
                "there is a backup " + backup + " of volume " + volume + " at " + target + " already");
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
