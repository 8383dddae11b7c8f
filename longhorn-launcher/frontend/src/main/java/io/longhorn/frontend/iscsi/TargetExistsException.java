package io.longhorn.frontend.iscsi;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** The portal serves a target of that name already. */
public final class TargetExistsException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;

    public TargetExistsException(String target) {
        super(ErrorCode.ISCSI_TARGET_EXISTS, "this portal serves a target named " + target + " already");
        this.target = target;
    }

    /** The name that is taken. */
    public String target() {
        return target;
    }
}
