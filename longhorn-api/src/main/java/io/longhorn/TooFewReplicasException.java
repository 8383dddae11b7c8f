package io.longhorn;

import java.io.Serial;

/** Fewer replicas or replica servers than the call needs. */
public final class TooFewReplicasException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final int required;
    private final int found;

    public TooFewReplicasException(String volume, int required, int found) {
        super(
                ErrorCode.TOO_FEW_REPLICAS,
                "volume " + volume + " needs " + required + " replicas for this, " + found
                        + " can be reached or are in sync");
        this.volume = volume;
        this.required = required;
        this.found = found;
    }

    public String volume() {
        return volume;
    }

    /** How many are needed. */
    public int required() {
        return required;
    }

    /** How many there are. */
    public int found() {
        return found;
    }
}
