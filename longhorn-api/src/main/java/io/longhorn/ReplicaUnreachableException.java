package io.longhorn;

import java.io.Serial;

/** A replica server does not answer, or its connection broke. */
public final class ReplicaUnreachableException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String server;
    private final String reason;

    public ReplicaUnreachableException(String server, String reason) {
        super(ErrorCode.REPLICA_UNREACHABLE, "replica server " + server + " cannot be reached: " + reason);
        this.server = server;
        this.reason = reason;
    }

    public ReplicaUnreachableException(String server, String reason, Throwable cause) {
        this(server, reason);
        initCause(cause);
    }

    /** Its address. */
    public String server() {
        return server;
    }

    /** A sentence for people. */
    public String reason() {
        return reason;
    }
}
