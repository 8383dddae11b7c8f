package io.longhorn;

import java.io.Serial;

/** The volume was closed before the call. */
public final class VolumeClosedException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;

    public VolumeClosedException(String volume) {
        super(ErrorCode.VOLUME_CLOSED, "volume " + volume + " is closed; open it again");
        this.volume = volume;
    }

    public String volume() {
        return volume;
    }
}
