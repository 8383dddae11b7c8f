package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A file to import from or export to failed. */
public final class TransferException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String file;
    private final String reason;

    public TransferException(Path file, String reason) {
        super(ErrorCode.TRANSFER_FAILED, reason + ": " + file);
        this.file = file.toString();
        this.reason = reason;
    }

    public TransferException(Path file, String reason, Throwable cause) {
        this(file, reason);
        initCause(cause);
    }

    public Path file() {
        return Path.of(file);
    }

    /** What is wrong with it. */
    public String reason() {
        return reason;
    }
}
