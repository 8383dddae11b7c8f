package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** Another process, or another object of this one, uses the directory. */
public final class DiskLockedException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String directory;

    public DiskLockedException(Path directory) {
        super(
                ErrorCode.DISK_LOCKED,
                "directory " + directory + " is in use by another process; stop that one, or choose another directory");
        this.directory = directory.toString();
    }

    public Path directory() {
        return Path.of(directory);
    }
}
