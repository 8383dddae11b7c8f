package io.longhorn;

import java.io.Serial;
import java.util.UUID;

/** A disk or a replica server belongs to another cluster, which is another registry. Nothing was touched. */
public final class WrongClusterException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String where;
    private final UUID expected;
    private final UUID found;

    public WrongClusterException(String where, UUID expected, UUID found) {
        super(
                ErrorCode.WRONG_CLUSTER,
                where + " belongs to cluster " + found + ", not to ours, " + expected
                        + "; check the address, or use the registry that it was made with");
        this.where = where;
        this.expected = expected;
        this.found = found;
    }

    /** The disk or server. */
    public String where() {
        return where;
    }

    /** The id of our cluster. */
    public UUID expected() {
        return expected;
    }

    /** The id of the cluster it belongs to. */
    public UUID found() {
        return found;
    }
}
