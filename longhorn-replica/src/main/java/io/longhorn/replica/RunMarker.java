package io.longhorn.replica;

import java.io.IOException;
import java.util.UUID;

/**
 * {@code running}: how the last run on this disk ended; see {@code docs/format/disk.md}, section 5. Written unclean at the start, before the first
 * append, and clean as the last thing of a stop.
 *
 * @param bootId the host's boot that the run belongs to; empty if the host has none
 */
@SuppressWarnings("DoNotCallSuggester")
record RunMarker(String bootId, boolean clean) {
    static final String FILE = "running";
    /** What is said of a run whose marker is missing or damaged. */
    static final RunMarker UNKNOWN = new RunMarker("", false);

    static final int BOOT_ID_BYTES_MAX = 256;

    /** The last run's marker, {@link #UNKNOWN} if there is none or it is damaged; another disk's or version's is an exception. */
    static RunMarker read(DiskDirectory directory, UUID diskId) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Replaces the file, durably. */
    void write(DiskDirectory directory, UUID diskId) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Whether what that run wrote and did not sync may be gone: the rule that makes a replica uncertain.
     *
     * @param presentBootId of the host now, empty if unknown
     */
    boolean mayHaveLostWrites(String presentBootId) {
        return !clean && (presentBootId.isEmpty() || !bootId.equals(presentBootId));
    }
}
