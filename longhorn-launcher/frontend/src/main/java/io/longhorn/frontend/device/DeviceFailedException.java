package io.longhorn.frontend.device;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** The system, or a command that was run, refused. */
public final class DeviceFailedException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    public DeviceFailedException(String device, String problem) {
        super(ErrorCode.DEVICE_FAILED, "device " + device + ": " + problem);
    }

    public DeviceFailedException(String device, Throwable cause) {
        super(ErrorCode.DEVICE_FAILED, "device " + device + ": " + cause.getMessage(), cause);
    }
}
