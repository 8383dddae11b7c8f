package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.ReplicaException;
import io.longhorn.replica.wire.FailureMapping;
import io.longhorn.replica.wire.Message;
import java.io.Serial;

/** A request that a replica server refuses: the answer is its code, and the connection goes on. Stays between server and engine. */
final class ReplicaRefusal extends ReplicaException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long first;
    private final long second;

    ReplicaRefusal(ErrorCode code, String detail) {
        this(code, 0, 0, detail);
    }

    ReplicaRefusal(ErrorCode code, long first, long second, String detail) {
        super(code, detail);
        this.first = first;
        this.second = second;
    }

    Message.Failure failure() {
        return FailureMapping.of(errorCode(), first, second, String.valueOf(getMessage()));
    }
}
