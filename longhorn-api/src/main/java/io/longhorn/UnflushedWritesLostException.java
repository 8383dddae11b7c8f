package io.longhorn;

import java.io.Serial;

/**
 * Replicas failed in such a way that writes confirmed since the last flush are lost. Every later operation fails
 * the same way, flush above all, until the volume is opened again; what was flushed is safe.
 */
public final class UnflushedWritesLostException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String volume;

    public UnflushedWritesLostException(String volume) {
        super(
                ErrorCode.UNFLUSHED_WRITES_LOST,
                "writes to volume " + volume + " since its last flush were lost; reopen it and repeat them");
        this.volume = volume;
    }

    public String volume() {
        return volume;
    }
}
