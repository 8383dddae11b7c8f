package io.longhorn;

import java.io.Serial;

/** The registry knows no volume of that name. */
public final class VolumeNotFoundException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;

    public VolumeNotFoundException(String volume) {
        super(ErrorCode.VOLUME_NOT_FOUND, "there is no volume " + volume);
        this.volume = volume;
    }

    public String volume() {
        return volume;
    }
}
