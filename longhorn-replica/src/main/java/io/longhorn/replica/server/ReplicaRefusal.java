package io.longhorn.replica.server;

import io.longhorn.ErrorCode;
import io.longhorn.ReplicaException;

/** A request that a replica server refuses, with the code that the engine gets. Stays between the two. */
final class ReplicaRefusal extends ReplicaException {
    private static final long serialVersionUID = 1;

    ReplicaRefusal(ErrorCode code, String detail) {
        super(code, detail);
    }
}
