package io.longhorn;

import java.io.Serial;

/** No implementation of backups was found. */
public final class BackupModuleMissingException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    public BackupModuleMissingException() {
        super(
                ErrorCode.BACKUP_MODULE_MISSING,
                "no backup module found; add the artifact io.longhorn:longhorn-backup to the class path or module path");
    }
}
