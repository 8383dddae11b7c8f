package io.longhorn.backup.nfs;

import java.io.IOException;
import java.io.Serial;

/** The server executed a call up to an operation that it refuses. */
final class NfsException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;
    private final int index;

    /** @param index the place of the operation in its compound, {@link NfsOp#SEQUENCE} not counted */
    NfsException(NfsOp op, int status, int index) {
        super(op + " ended with " + NfsStatus.nameOf(status));
        this.status = status;
        this.index = index;
    }

    int status() {
        return status;
    }

    int index() {
        return index;
    }

    /** What we know a file by means nothing to the server any more: it was deleted, or is known by something else now. */
    boolean isStale() {
        return status == NfsStatus.STALE || status == NfsStatus.BADHANDLE || status == NfsStatus.FHEXPIRED;
    }

    /** What we had open is not. */
    boolean isStateLost() {
        return status == NfsStatus.BAD_STATEID
                || status == NfsStatus.STALE_STATEID
                || status == NfsStatus.OLD_STATEID
                || status == NfsStatus.EXPIRED
                || status == NfsStatus.ADMIN_REVOKED;
    }

    /** There is no such file, or the way to it goes through something that is no directory. */
    boolean isAbsent() {
        return status == NfsStatus.NOENT || status == NfsStatus.NOTDIR;
    }
}
