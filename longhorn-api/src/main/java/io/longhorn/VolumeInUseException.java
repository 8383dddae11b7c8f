package io.longhorn;

import java.io.Serial;

/** The volume is open, and the call needs it closed. */
public final class VolumeInUseException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String usedBy;

    public VolumeInUseException(String volume, String usedBy) {
        super(ErrorCode.VOLUME_IN_USE, "volume " + volume + " is in use by " + usedBy + "; close it first");
        this.volume = volume;
        this.usedBy = usedBy;
    }

    public String volume() {
        return volume;
    }

    /** Who has it open, for people. */
    public String usedBy() {
        return usedBy;
    }
}
