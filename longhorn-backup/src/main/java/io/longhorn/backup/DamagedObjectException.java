package io.longhorn.backup;

import java.io.IOException;
import java.io.Serial;

/** An object was read, and is not what was written under its key. Reading it again does not help. */
final class DamagedObjectException extends IOException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** @param reason a sentence without a subject */
    DamagedObjectException(String reason) {
        super(reason);
    }
}
