package io.longhorn;

import java.io.Serial;

/** A server would listen beyond this machine without a token or TLS. It does not start. */
public final class InsecureListenException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String address;

    public InsecureListenException(String address) {
        super(
                ErrorCode.INSECURE_LISTEN,
                "listening on " + address + " needs a token or TLS, because others can reach it");
        this.address = address;
    }

    /** Where it would listen. */
    public String address() {
        return address;
    }
}
