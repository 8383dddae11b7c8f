package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A file was written by a newer version of the software. */
public final class FileTooNewException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String path;
    private final int found;
    private final int newest;

    public FileTooNewException(Path path, int found, int newest) {
        super(
                ErrorCode.FILE_TOO_NEW,
                path + " has format version " + found + ", the newest we read is " + newest + "; upgrade");
        this.path = path.toString();
        this.found = found;
        this.newest = newest;
    }

    public Path path() {
        return Path.of(path);
    }

    /** The version of its format. */
    public int found() {
        return found;
    }

    /** The newest version that is read. */
    public int newest() {
        return newest;
    }
}
