package io.longhorn.backup.nfs;

import java.io.IOException;
import java.io.Serial;

/** The connection ended, or never came about. Whether what was sent has been executed is not known. */
final class ConnectionLostException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    ConnectionLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
