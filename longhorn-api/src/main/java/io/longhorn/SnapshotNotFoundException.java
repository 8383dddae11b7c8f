package io.longhorn;

import java.io.Serial;

/** The volume has no such snapshot, or has it no more. */
public final class SnapshotNotFoundException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String snapshot;

    public SnapshotNotFoundException(String volume, String snapshot) {
        super(ErrorCode.SNAPSHOT_NOT_FOUND, "volume " + volume + " has no snapshot " + snapshot);
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
