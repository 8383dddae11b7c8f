package io.longhorn;

import java.io.Serial;

/** No replica holds the data of the volume any more. */
public final class VolumeLostException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String reason;

    public VolumeLostException(String volume, String reason) {
        super(ErrorCode.VOLUME_LOST, "volume " + volume + " is lost: " + reason + "; restore it from a backup");
        this.volume = volume;
        this.reason = reason;
    }

    public String volume() {
        return volume;
    }

    /** What became of the replicas. */
    public String reason() {
        return reason;
    }
}
