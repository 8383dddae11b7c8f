package io.longhorn.frontend.device;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** This host offers no way, or not the one that was asked for, to show a volume as a block device. The message says what was looked for, and what to install. */
public final class DeviceMechanismMissingException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    public DeviceMechanismMissingException(String missing) {
        super(ErrorCode.DEVICE_MECHANISM_MISSING, "no kernel device can be made here: " + missing);
    }
}
