package io.longhorn;

import java.io.Serial;

/**
 * Another instance opened the volume. This one confirms nothing any more; writes that were confirmed and not
 * flushed are still held by the volume.
 */
public final class FencedException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final long epoch;
    private final long newerEpoch;

    public FencedException(String volume, long epoch, long newerEpoch) {
        super(
                ErrorCode.FENCED,
                "volume " + volume + " was taken over: epoch " + newerEpoch + " is newer than our " + epoch
                        + "; reopen it to take it back");
        this.volume = volume;
        this.epoch = epoch;
        this.newerEpoch = newerEpoch;
    }

    public String volume() {
        return volume;
    }

    /** The epoch of the instance that was called. */
    public long epoch() {
        return epoch;
    }

    /** The epoch that took over. */
    public long newerEpoch() {
        return newerEpoch;
    }
}
