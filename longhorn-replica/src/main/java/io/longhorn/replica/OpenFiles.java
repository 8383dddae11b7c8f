package io.longhorn.replica;

import java.io.IOException;

/**
 * The layer files that are open on a disk: opened on use, and the ones unused longest closed when there are too many. Files that are retained or have unsynced
 * writes stay open. Belongs to one loop.
 */
@SuppressWarnings("DoNotCallSuggester")
final class OpenFiles {
    /** Half of what a server of 1,000 volumes may have open in all; two files per layer in use. */
    static final int DEFAULT_MAX = 10_000;

    OpenFiles(DiskDirectory directory, int openMax) {
        throw new UnsupportedOperationException(directory.describe() + openMax);
    }

    DiskDirectory directory() {
        throw new UnsupportedOperationException();
    }

    /** Files open now. */
    int open() {
        throw new UnsupportedOperationException();
    }

    /** Closes all of them; the first failure is thrown after the last close. */
    void close() throws IOException {
        throw new UnsupportedOperationException();
    }
}
