package io.longhorn;

import java.io.Serial;

/** A backup, or the target that keeps it, failed. Error codes 3000 to 3999. Open to the modules of the implementation; others catch it. */
public abstract non-sealed class BackupException extends LonghornException {

    @Serial
    private static final long serialVersionUID = 1L;

    protected BackupException(ErrorCode errorCode, String message) {
        super(errorCode, message);
    }

    protected BackupException(ErrorCode errorCode, String message, Throwable cause) {
        super(errorCode, message, cause);
    }
}
