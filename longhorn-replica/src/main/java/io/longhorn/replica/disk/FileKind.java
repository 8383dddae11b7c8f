package io.longhorn.replica.disk;

/**
 * The kinds of file on a disk that begin with the common header ({@link FileHeader}), with the versions of their formats that are read.
 * The id stands in the header, so that a file in the wrong place is told from a damaged one.
 */
public enum FileKind {
    /** {@code disk.meta}: {@link DiskMeta}. */
    DISK("disk metadata", "DISK"),
    /** {@code running}: {@link RunMarker}. */
    RUN_MARKER("run marker", "RUNM"),
    /** {@code replica.meta}: what a replica knows of itself. */
    REPLICA("replica metadata", "REPL"),
    /** {@code journal/segment-N}: the header of a segment. */
    SEGMENT("journal segment", "SEGM"),
    /** {@code tail.parked}: records that wait outside the journal. */
    PARKED_TAIL("parked tail", "TAIL");

    private final String title;
    private final int id;

    FileKind(String title, String letters) {
        this.title = title;
        this.id = letters.charAt(0) | letters.charAt(1) << 8 | letters.charAt(2) << 16 | letters.charAt(3) << 24;
    }

    /** What messages call it. */
    String title() {
        return title;
    }

    /** Four ASCII letters as a little-endian int. */
    int id() {
        return id;
    }

    /** The oldest version that is read. */
    int oldestVersion() {
        return 1;
    }

    /** The version that is written, and the newest that is read. */
    int version() {
        return 1;
    }
}
