package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A directory cannot be written to. */
public final class DiskReadOnlyException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String directory;

    public DiskReadOnlyException(Path directory) {
        super(
                ErrorCode.DISK_READ_ONLY,
                "directory " + directory + " cannot be written to; check mount and permissions");
        this.directory = directory.toString();
    }

    public Path directory() {
        return Path.of(directory);
    }
}
