package io.longhorn;

import java.io.Serial;

/** A backup target cannot be reached, refuses, or is of a kind that no module handles. */
public final class BackupTargetException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;
    private final String reason;

    public BackupTargetException(String target, String reason) {
        super(ErrorCode.BACKUP_TARGET_FAILED, "backup target " + target + " failed: " + reason);
        this.target = target;
        this.reason = reason;
    }

    public BackupTargetException(String target, String reason, Throwable cause) {
        this(target, reason);
        initCause(cause);
    }

    /** Where it is, without credentials. */
    public String target() {
        return target;
    }

    /** A sentence for people. */
    public String reason() {
        return reason;
    }
}
