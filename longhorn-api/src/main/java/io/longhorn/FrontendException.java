package io.longhorn;

import java.io.Serial;

/** A frontend, the edge that shows a volume to others, failed. Error codes 4000 to 4999. Open to the modules of the implementation; others catch it. */
public abstract non-sealed class FrontendException extends LonghornException {

    @Serial
    private static final long serialVersionUID = 1L;

    protected FrontendException(ErrorCode errorCode, String message) {
        super(errorCode, message);
    }

    protected FrontendException(ErrorCode errorCode, String message, Throwable cause) {
        super(errorCode, message, cause);
    }
}
