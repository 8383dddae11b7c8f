package io.longhorn;

import java.io.Serial;

/** The volume as a whole, its snapshots or its registry record failed, or refuse the call. Error codes 1000 to 1999. Open to the modules of the implementation; others catch it. */
public abstract non-sealed class VolumeException extends LonghornException {

    @Serial
    private static final long serialVersionUID = 1L;

    protected VolumeException(ErrorCode errorCode, String message) {
        super(errorCode, message);
    }

    protected VolumeException(ErrorCode errorCode, String message, Throwable cause) {
        super(errorCode, message, cause);
    }
}
