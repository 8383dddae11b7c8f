package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** Reading, writing or syncing a disk failed. A failed sync is never tried again as if nothing had happened. */
public final class DiskFailedException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String path;
    private final String operation;

    public DiskFailedException(Path path, String operation) {
        super(ErrorCode.DISK_FAILED, operation + " failed: " + path);
        this.path = path.toString();
        this.operation = operation;
    }

    public DiskFailedException(Path path, String operation, Throwable cause) {
        this(path, operation);
        initCause(cause);
    }

    /** The file or directory. */
    public Path path() {
        return Path.of(path);
    }

    /** What failed. */
    public String operation() {
        return operation;
    }
}
