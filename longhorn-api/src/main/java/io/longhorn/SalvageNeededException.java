package io.longhorn;

import java.io.Serial;

/** The replicas that answer cannot prove that they hold every confirmed write. */
public final class SalvageNeededException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String reason;

    public SalvageNeededException(String volume, String reason) {
        super(
                ErrorCode.SALVAGE_NEEDED,
                "volume " + volume + " cannot be opened without risk: " + reason
                        + "; bring its other replicas back, or salvage it");
        this.volume = volume;
        this.reason = reason;
    }

    public String volume() {
        return volume;
    }

    /** What is missing. */
    public String reason() {
        return reason;
    }
}
