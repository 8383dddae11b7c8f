package io.longhorn;

import java.io.Serial;

/** No implementation of the API was found. */
public final class EngineMissingException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    public EngineMissingException() {
        super(
                ErrorCode.ENGINE_MISSING,
                "no engine found; add the artifact io.longhorn:longhorn-engine to the class path or module path");
    }
}
