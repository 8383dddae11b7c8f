package io.longhorn.frontend.device;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** The device, or its name, is in use. Nothing was changed. */
public final class DeviceBusyException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String device;
    private final String usedBy;

    public DeviceBusyException(String device, String usedBy) {
        super(ErrorCode.DEVICE_BUSY, "device " + device + " is in use: " + usedBy);
        this.device = device;
        this.usedBy = usedBy;
    }

    /** The name of the device. */
    public String device() {
        return device;
    }

    /** Who uses it, for people. */
    public String usedBy() {
        return usedBy;
    }
}
