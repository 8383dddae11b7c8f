package io.longhorn.backup.nfs;

import java.util.Arrays;

/** What the server knows a file or directory by. Immutable. */
final class FileHandle {
    static final int BYTES_MAX = 128;

    private final byte[] bytes;

    /** @param bytes not copied, and not changed any more by whoever gives them */
    FileHandle(byte[] bytes) {
        this.bytes = bytes;
    }

    void write(XdrWriter out) {
        out.opaque(bytes);
    }

    /** Whether the handles are the same. Handles of one file are, on all but odd servers. */
    @Override
    public boolean equals(Object other) {
        return other instanceof FileHandle that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}
