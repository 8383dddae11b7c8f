package io.longhorn;

import java.io.Serial;

/** An asynchronous operation found as many in flight as may be. Nothing was done; try again when one has ended. */
public final class QueueFullException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;
    private final int queueDepthMax;

    public QueueFullException(String volume, int queueDepthMax) {
        super(ErrorCode.QUEUE_FULL, "volume " + volume + " has " + queueDepthMax + " operations in flight already");
        this.volume = volume;
        this.queueDepthMax = queueDepthMax;
    }

    public String volume() {
        return volume;
    }

    /** How many may be in flight. */
    public int queueDepthMax() {
        return queueDepthMax;
    }
}
