package io.longhorn;

import java.io.Serial;

/** The other side of a connection sent something that it may not send. The connection is closed. */
public final class ProtocolException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String peer;
    private final String reason;

    public ProtocolException(String peer, String reason) {
        super(ErrorCode.PROTOCOL_VIOLATED, peer + " broke the protocol: " + reason);
        this.peer = peer;
        this.reason = reason;
    }

    public ProtocolException(String peer, String reason, Throwable cause) {
        this(peer, reason);
        initCause(cause);
    }

    /** Its address. */
    public String peer() {
        return peer;
    }

    /** What is wrong. */
    public String reason() {
        return reason;
    }
}
