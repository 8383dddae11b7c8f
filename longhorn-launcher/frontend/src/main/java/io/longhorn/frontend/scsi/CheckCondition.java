package io.longhorn.frontend.scsi;

import java.io.Serial;

/** Ends a command while its fields are read. Without a stack trace: it is the initiator's mistake. */
final class CheckCondition extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Sense sense;

    CheckCondition(Sense sense) {
        super(sense.toString(), null, false, false);
        this.sense = sense;
    }

    CheckCondition(SenseCode code) {
        this(Sense.of(code));
    }

    Sense sense() {
        return sense;
    }
}
