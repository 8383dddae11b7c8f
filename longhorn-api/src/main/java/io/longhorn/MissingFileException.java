package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A file or directory that must be there is not. */
public final class MissingFileException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String path;

    public MissingFileException(Path path) {
        super(ErrorCode.FILE_MISSING, "missing: " + path);
        this.path = path.toString();
    }

    public Path path() {
        return Path.of(path);
    }
}
