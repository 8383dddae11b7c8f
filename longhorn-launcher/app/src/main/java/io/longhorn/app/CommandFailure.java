package io.longhorn.app;

import java.io.Serial;

/** A command cannot do what it was asked for; the message is the line that the user reads. */
public final class CommandFailure extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    public CommandFailure(String message) {
        super(message);
    }

    public CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
