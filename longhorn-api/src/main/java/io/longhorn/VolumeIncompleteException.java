package io.longhorn;

import java.io.Serial;

/** The volume does not hold all of its content yet: it is being filled from a backup. Go on with that, or delete the volume. */
public final class VolumeIncompleteException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final String source;

    public VolumeIncompleteException(String volume, String source) {
        super(
                ErrorCode.VOLUME_INCOMPLETE,
                "volume " + volume + " is incomplete: it is being filled from " + source
                        + "; call what began it again to go on, or delete the volume");
        this.volume = volume;
        this.source = source;
    }

    public String volume() {
        return volume;
    }

    /** What it is filled from, for people. */
    public String source() {
        return source;
    }
}
