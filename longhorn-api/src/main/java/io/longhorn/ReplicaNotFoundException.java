package io.longhorn;

import java.io.Serial;
import java.util.UUID;

/** There is no replica of that id where it was looked for. */
public final class ReplicaNotFoundException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final UUID replica;
    private final String where;

    public ReplicaNotFoundException(UUID replica, String where) {
        super(ErrorCode.REPLICA_NOT_FOUND, "there is no replica " + replica + " in " + where);
        this.replica = replica;
        this.where = where;
    }

    public UUID replica() {
        return replica;
    }

    /** The volume or the replica server that was asked. */
    public String where() {
        return where;
    }
}
