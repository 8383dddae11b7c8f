package io.longhorn;

import java.io.Serial;

/** The volume has as many snapshots as it may have. */
public final class SnapshotLimitException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final int snapshotsMax;

    public SnapshotLimitException(String volume, int snapshotsMax) {
        super(
                ErrorCode.SNAPSHOT_LIMIT,
                "volume " + volume + " has " + snapshotsMax + " snapshots already; delete some first");
        this.volume = volume;
        this.snapshotsMax = snapshotsMax;
    }

    public String volume() {
        return volume;
    }

    /** How many it may have. */
    public int snapshotsMax() {
        return snapshotsMax;
    }
}
