package io.longhorn.replica.server;

import java.io.IOException;

/** A sync failed: everything since the last good one counts as not written, and the disk is not used any further. */
final class SyncFailedException extends IOException {
    private static final long serialVersionUID = 1;

    SyncFailedException(String what, IOException cause) {
        super("sync of " + what + " failed: " + cause.getMessage(), cause);
    }
}
