package io.longhorn;

import java.io.Serial;
import java.time.Duration;

/**
 * An operation did not end in time. Whether it took effect is not known: a change may still be applied, or never
 * be.
 */
public final class TimeLimitException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String subject;
    private final String operation;
    private final Duration limit;

    public TimeLimitException(String subject, String operation, Duration limit) {
        super(ErrorCode.TIME_LIMIT, operation + " on " + subject + " did not end within " + limit.toMillis() + " ms");
        this.subject = subject;
        this.operation = operation;
        this.limit = limit;
    }

    /** What the operation was done to: a volume or a server. */
    public String subject() {
        return subject;
    }

    /** What took too long. */
    public String operation() {
        return operation;
    }

    /** How long it may take. */
    public Duration limit() {
        return limit;
    }
}
