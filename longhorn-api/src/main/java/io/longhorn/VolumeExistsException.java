package io.longhorn;

import java.io.Serial;

/** The registry has a volume of that name already. */
public final class VolumeExistsException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;

    public VolumeExistsException(String volume) {
        super(ErrorCode.VOLUME_EXISTS, "there is a volume " + volume + " already; choose another name");
        this.volume = volume;
    }

    public String volume() {
        return volume;
    }
}
