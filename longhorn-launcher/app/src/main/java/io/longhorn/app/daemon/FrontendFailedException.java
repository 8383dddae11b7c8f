package io.longhorn.app.daemon;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** A frontend cannot do what it is asked for on this machine. */
final class FrontendFailedException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String frontend;

    FrontendFailedException(FrontendKind kind, String reason) {
        super(ErrorCode.FRONTEND_FAILED, "frontend " + kind.word() + ": " + reason);
        this.frontend = kind.word();
    }

    FrontendFailedException(FrontendKind kind, String reason, Throwable cause) {
        super(ErrorCode.FRONTEND_FAILED, "frontend " + kind.word() + ": " + reason, cause);
        this.frontend = kind.word();
    }

    String frontend() {
        return frontend;
    }
}
