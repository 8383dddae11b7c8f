package io.longhorn;

import java.io.Serial;

/** One side of a connection did not prove who it is. */
public final class AuthenticationFailedException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String peer;
    private final String reason;

    public AuthenticationFailedException(String peer, String reason) {
        super(
                ErrorCode.AUTHENTICATION_FAILED,
                "authentication with " + peer + " failed: " + reason + "; check token and certificates");
        this.peer = peer;
        this.reason = reason;
    }

    public AuthenticationFailedException(String peer, String reason, Throwable cause) {
        this(peer, reason);
        initCause(cause);
    }

    /** Its address. */
    public String peer() {
        return peer;
    }

    /** What was not proved, without secrets. */
    public String reason() {
        return reason;
    }
}
