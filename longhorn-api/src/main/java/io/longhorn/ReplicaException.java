package io.longhorn;

import java.io.Serial;

/** A replica, its disk, or the way to it failed. Error codes 2000 to 2999. Open to the modules of the implementation; others catch it. */
public abstract non-sealed class ReplicaException extends LonghornException {

    @Serial
    private static final long serialVersionUID = 1L;

    protected ReplicaException(ErrorCode errorCode, String message) {
        super(errorCode, message);
    }

    protected ReplicaException(ErrorCode errorCode, String message, Throwable cause) {
        super(errorCode, message, cause);
    }
}
