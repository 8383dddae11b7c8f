package io.longhorn.frontend.device;

import java.io.IOException;
import java.io.Serial;

/** A call of the system failed. */
final class CallFailedException extends IOException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final int errno;

    CallFailedException(String call, int errno) {
        super(call + ": " + Errno.describe(errno));
        this.errno = errno;
    }

    /** One of {@link Errno}, or another one. */
    int errno() {
        return errno;
    }

    /** Whether more rights would have helped. */
    boolean isNotPermitted() {
        return errno == Errno.EPERM || errno == Errno.EACCES;
    }
}
