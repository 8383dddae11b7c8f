package io.longhorn.frontend.scsi;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.IOException;
import java.io.Serial;

/**
 * The persistent reservations of a target cannot be read, so it is not served: initiators rely on them to keep each other out. Whoever knows that no initiator does may
 * remove what is kept.
 */
public final class ReservationsUnreadableException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String target;

    public ReservationsUnreadableException(String target, IOException cause) {
        super(
                ErrorCode.RESERVATIONS_UNREADABLE,
                "the persistent reservations of target " + target + " cannot be read: " + cause.getMessage(),
                cause);
        this.target = target;
    }

    /** The name of the target. */
    public String target() {
        return target;
    }
}
