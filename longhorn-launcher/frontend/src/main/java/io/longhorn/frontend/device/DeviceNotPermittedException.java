package io.longhorn.frontend.device;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** This process may not do what a kernel device needs. */
public final class DeviceNotPermittedException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    public DeviceNotPermittedException(String device, Throwable cause) {
        super(
                ErrorCode.DEVICE_NOT_PERMITTED,
                "device " + device + " needs root, or CAP_SYS_ADMIN and access to /dev: " + cause.getMessage(),
                cause);
    }
}
