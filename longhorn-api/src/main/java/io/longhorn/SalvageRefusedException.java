package io.longhorn;

import java.io.Serial;

/** Salvage is not needed, or more dangerous than the spec allows. */
public final class SalvageRefusedException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String reason;

    public SalvageRefusedException(String volume, String reason) {
        super(ErrorCode.SALVAGE_REFUSED, "volume " + volume + " is not salvaged: " + reason);
        this.volume = volume;
        this.reason = reason;
    }

    public String volume() {
        return volume;
    }

    /** Why, and what would allow it. */
    public String reason() {
        return reason;
    }
}
