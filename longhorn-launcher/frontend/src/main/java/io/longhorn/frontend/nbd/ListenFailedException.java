package io.longhorn.frontend.nbd;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** A server cannot listen on an address: somebody else does, the address is not of this machine, or this process may not. The server did not start. */
public final class ListenFailedException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String address;

    public ListenFailedException(String address, String why) {
        super(ErrorCode.NBD_LISTEN_FAILED, "cannot listen on " + address + ": " + why);
        this.address = address;
    }

    public ListenFailedException(String address, Throwable cause) {
        super(ErrorCode.NBD_LISTEN_FAILED, "cannot listen on " + address + ": " + cause.getMessage(), cause);
        this.address = address;
    }

    /** Where it should have listened. */
    public String address() {
        return address;
    }
}
