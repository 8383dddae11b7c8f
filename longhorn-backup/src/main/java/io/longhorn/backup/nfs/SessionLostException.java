package io.longhorn.backup.nfs;

import java.io.IOException;
import java.io.Serial;

/** The server forgot the session, and with it what was open. Whether the last call has been executed is not known. */
final class SessionLostException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    SessionLostException(String reason) {
        super(reason);
    }
}
