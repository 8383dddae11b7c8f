package io.longhorn.replica.disk;

import java.io.IOException;
import java.io.Serial;

/** A sync of something else than the journal failed. What was written since the last good one cannot be trusted, so the disk goes out of service. */
public final class SyncFailedException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param what was to be synced, as the message names it */
    public SyncFailedException(String what, IOException cause) {
        super("sync of " + what + " failed: " + cause.getMessage(), cause);
    }
}
