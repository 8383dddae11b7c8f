package io.longhorn;

import java.io.Serial;

/** The volume cannot go on, because no replica in sync is left or because an invariant is broken. */
public final class VolumeFaultedException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String reason;

    public VolumeFaultedException(String volume, String reason) {
        super(ErrorCode.VOLUME_FAULTED, "volume " + volume + " is faulted: " + reason);
        this.volume = volume;
        this.reason = reason;
    }

    public VolumeFaultedException(String volume, String reason, Throwable cause) {
        this(volume, reason);
        initCause(cause);
    }

    public String volume() {
        return volume;
    }

    /** A sentence for people. */
    public String reason() {
        return reason;
    }
}
