package io.longhorn;

import java.io.Serial;

/** A replica has no space for a change. Nothing of it was done; reads go on. */
public final class DiskFullException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String where;
    private final long neededBytes;
    private final long availableBytes;

    public DiskFullException(String where, long neededBytes, long availableBytes) {
        super(
                ErrorCode.DISK_FULL,
                "no space on " + where + ": " + neededBytes + " bytes needed, " + availableBytes
                        + " available; delete snapshots or volumes, or add space");
        this.where = where;
        this.neededBytes = neededBytes;
        this.availableBytes = availableBytes;
    }

    /** The replica or disk. */
    public String where() {
        return where;
    }

    /** The space that the change needs. */
    public long neededBytes() {
        return neededBytes;
    }

    /** The space left for changes. */
    public long availableBytes() {
        return availableBytes;
    }
}
