package io.longhorn;

import java.io.Serial;

/** A backup target does not open with the keys that were given, or were not. Nothing was changed. */
public final class BackupKeyException extends BackupException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** What does not fit. */
    public enum Problem {
        /** The target is encrypted, and no keys were given. */
        KEYS_MISSING,
        /** Keys were given, and the target holds backups that are not encrypted. */
        NOT_ENCRYPTED,
        /** A key is needed that is not among those given. */
        KEY_UNKNOWN,
        /** The key of that id is another one than the target was encrypted with. */
        KEY_WRONG
    }

    private final String target;
    private final Problem problem;
    private final String keyId;

    /**
     * @param keyId empty if it is not about one key
     * @param reason a sentence that says what to do
     */
    public BackupKeyException(String target, Problem problem, String keyId, String reason) {
        super(ErrorCode.BACKUP_KEY_UNFIT, "backup target " + target + " does not open: " + reason);
        this.target = target;
        this.problem = problem;
        this.keyId = keyId;
    }

    /** Where it is, without credentials. */
    public String target() {
        return target;
    }

    public Problem problem() {
        return problem;
    }

    /** The key that it is about; empty if it is about none. */
    public String keyId() {
        return keyId;
    }
}
