package io.longhorn;

import java.io.Serial;
import java.nio.file.Path;

/** A file of ours is cut short or has content that fails its checksum. */
public final class DamagedFileException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String path;
    private final long offsetBytes;
    private final String reason;

    public DamagedFileException(Path path, long offsetBytes, String reason) {
        super(ErrorCode.FILE_DAMAGED, "damaged file " + path + " at offset " + offsetBytes + ": " + reason);
        this.path = path.toString();
        this.offsetBytes = offsetBytes;
        this.reason = reason;
    }

    public Path path() {
        return Path.of(path);
    }

    /** Where the damage was noticed. */
    public long offsetBytes() {
        return offsetBytes;
    }

    /** What is wrong. */
    public String reason() {
        return reason;
    }
}
