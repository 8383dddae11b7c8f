package io.longhorn;

import java.io.Serial;

/** A change of a volume that was opened for reading only. */
public final class ReadOnlyVolumeException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String operation;

    public ReadOnlyVolumeException(String volume, String operation) {
        super(ErrorCode.VOLUME_READ_ONLY, "volume " + volume + " is open read-only, " + operation + " is refused");
        this.volume = volume;
        this.operation = operation;
    }

    public String volume() {
        return volume;
    }

    /** What was refused. */
    public String operation() {
        return operation;
    }
}
