package io.longhorn;

import java.io.Serial;
import java.util.Objects;

/**
 * Any failure but a wrong argument. The branches say which part failed; under them each condition is a class of its own
 * with what it concerns as fields. {@link #errorCode()} is stable and {@link #remedy()} says what to do; the message is
 * for people and may change.
 */
public abstract sealed class LonghornException extends RuntimeException
        permits VolumeException, ReplicaException, BackupException, FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode errorCode;

    LonghornException(ErrorCode errorCode, String message) {
        super(message);
        this.errorCode = Objects.requireNonNull(errorCode, "errorCode");
    }

    LonghornException(ErrorCode errorCode, String message, Throwable cause) {
        super(message, cause);
        this.errorCode = Objects.requireNonNull(errorCode, "errorCode");
    }

    /** The condition, as it is named on the wire. */
    public final ErrorCode errorCode() {
        return errorCode;
    }

    /** The stable number of {@link #errorCode()}. */
    public final int code() {
        return errorCode.number();
    }

    /** What the caller can do. */
    public final Remedy remedy() {
        return errorCode.remedy();
    }
}
