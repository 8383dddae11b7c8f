package io.longhorn;

import java.io.Serial;

/** The volume has a snapshot of that name already. */
public final class SnapshotExistsException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String snapshot;

    public SnapshotExistsException(String volume, String snapshot) {
        super(
                ErrorCode.SNAPSHOT_EXISTS,
                "volume " + volume + " has a snapshot " + snapshot + " already; choose another name");
        this.volume = volume;
        this.snapshot = snapshot;
    }

    public String volume() {
        return volume;
    }

    public String snapshot() {
        return snapshot;
    }
}
