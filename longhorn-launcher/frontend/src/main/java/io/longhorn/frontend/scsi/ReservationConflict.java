package io.longhorn.frontend.scsi;

import java.io.Serial;

/** Ends a command with status RESERVATION CONFLICT. */
final class ReservationConflict extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    ReservationConflict() {
        super("reservation conflict", null, false, false);
    }
}
