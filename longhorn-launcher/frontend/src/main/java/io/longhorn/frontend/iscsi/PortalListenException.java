package io.longhorn.frontend.iscsi;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** A portal cannot listen on an address: somebody else does, the address is not of this machine, or this process may not. The portal did not start. */
public final class PortalListenException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String address;

    public PortalListenException(String address, Throwable cause) {
        super(ErrorCode.ISCSI_LISTEN_FAILED, "cannot listen on " + address + ": " + cause.getMessage(), cause);
        this.address = address;
    }

    /** Where it should have listened. */
    public String address() {
        return address;
    }
}
