package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A file is not of the kind that belongs in its place. It is left alone. */
public final class ForeignFileException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String path;
    private final String expected;

    public ForeignFileException(Path path, String expected) {
        super(ErrorCode.FILE_FOREIGN, "not a " + expected + ": " + path + "; move it away if it is not yours");
        this.path = path.toString();
        this.expected = expected;
    }

    public Path path() {
        return Path.of(path);
    }

    /** The kind of file that belongs there. */
    public String expected() {
        return expected;
    }
}
