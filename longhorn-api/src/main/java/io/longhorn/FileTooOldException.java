package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A file was written by a version that is too old to be read. */
public final class FileTooOldException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String path;
    private final int found;
    private final int oldest;

    public FileTooOldException(Path path, int found, int oldest) {
        super(
                ErrorCode.FILE_TOO_OLD,
                path + " has format version " + found + ", the oldest we read is " + oldest
                        + "; open it once with a version in between");
        this.path = path.toString();
        this.found = found;
        this.oldest = oldest;
    }

    public Path path() {
        return Path.of(path);
    }

    /** The version of its format. */
    public int found() {
        return found;
    }

    /** The oldest version that is read. */
    public int oldest() {
        return oldest;
    }
}
