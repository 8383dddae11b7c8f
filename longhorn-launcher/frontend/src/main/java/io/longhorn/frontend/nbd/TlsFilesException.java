package io.longhorn.frontend.nbd;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** The files for TLS cannot be read, or do not hold what they should. The server did not start. */
public final class TlsFilesException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    public TlsFilesException(String files, Throwable cause) {
        super(ErrorCode.NBD_TLS_FILES_UNFIT, "cannot use " + files + " for TLS: " + cause.getMessage(), cause);
    }
}
