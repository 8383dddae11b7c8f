package io.longhorn.replica.wire;

import io.longhorn.ErrorCode;
import io.longhorn.ReplicaException;
import java.io.Serial;

/** A replica refused a request with a code that engine and replica settle between themselves, or that this version does not know. */
public final class RefusedException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String peer;
    private final int number;
    private final long first;
    private final long second;

    RefusedException(ErrorCode errorCode, String peer, Message.Failure failure) {
        super(
                errorCode,
                peer + " refused with code " + failure.code() + " (" + failure.first() + ", " + failure.second() + "): "
                        + failure.detail());
        this.peer = peer;
        this.number = failure.code();
        this.first = failure.first();
        this.second = failure.second();
    }

    /** Who refused. */
    public String peer() {
        return peer;
    }

    /** The code's number as it was received; {@link #errorCode()} is SERVER_FAILED if this version does not know it. */
    public int number() {
        return number;
    }

    /** First number of the failure; what it means stands in {@code docs/format/wire.md}, section 9. */
    public long first() {
        return first;
    }

    /** Second number of the failure. */
    public long second() {
        return second;
    }
}
